"""The child: one attempt of one mission, from its order to its outcome, in a fork of the warm parent."""

import faulthandler
import gc
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection, wait

from service import config
from service.agents import runner
from service.agents.context import Interrupted, MissionFailed
from service.agents.prices import Prices
from service.config import Settings
from service.db import UNAVAILABLE, Database
from service.errors import LeaseLost
from service.missions import progress
from service.security.redaction import Redactor
from service.worker import unfinished
from service.worker.attempt import Attempt, LogHandler
from service.worker.outcome import Outcome
from service.worker.recorder import Recorder
from service.worker.standby import Ends, Order

# From the order to stop until the child ends itself. While events flow the crew is left within
# a tenth of a second; a tool that blocks is not waited for.
STOP_GRACE_S = 2.0
NO_MISSION = 0  # they begin at 1


def main(settings: Settings, ends: Ends) -> None:
    """Wait for an order, run its attempt, and send its Outcome. Never returns to its caller.

    Entered in a fresh fork.
    """
    finish = threading.Event()  # when the task that runs is done
    signal.signal(signal.SIGUSR1, lambda *_: finish.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then tells us
    os.setsid()  # without a terminal: nothing can open /dev/tty and wait there
    # Transactions are short and follow each other: with one connection each, a server bears many.
    db = Database(settings, pool_size=1)
    if not ends.hurried:
        _prepare(db)
        ends.ready.value = 1
    order = _received(ends.order)
    if order is None:
        os._exit(0)  # nobody needs us any more, or the supervisor has died
    _begin(db, order, settings, ends, finish)


def _begin(
    db: Database, order: Order, settings: Settings, ends: Ends, finish: threading.Event
) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    _take_over_output(ends.stdout, ends.stderr)
    os.chdir(order.folder)
    config.become(order.around.environment)
    claim = order.claim
    recorder = Recorder(db, claim, Redactor(order.around.secrets), ends.appends)
    recorder.start()
    _watch(stop, recorder)
    prices = Prices(settings, order.around.environment.get("OPENAI_BASE_URL"))
    attempt = Attempt(
        db,
        claim,
        recorder,
        stop=stop,
        finish=finish,
        prices=prices,
        told=lambda: float(ends.news.value),
    )
    if claim.spec.on_limit == "ask":
        ends.deadline.keep_asking(claim.spec.limits.max_seconds, attempt.limits.ask_for_seconds)
    _log_into(attempt, settings)
    ended = _run(attempt, settings)
    _finish(recorder)
    ends.outcome.send(asdict(ended))
    _exit(0)


def _prepare(db: Database) -> None:
    """What the first crew of a process would spend its first moments on; its threads are our own."""
    runner.rehearse()
    gc.collect()
    gc.freeze()  # as in the parent: what is common to all is not to be copied by a collection
    with suppress(*UNAVAILABLE):
        db.learn()
        with db.glance() as conn:  # what a later attempt begins with
            progress.finished(conn, NO_MISSION)


def _received(pipe: Connection) -> Order | None:
    """The order, waited for; None when the pipe ends without one."""
    try:
        with pipe, open(pipe.fileno(), "rb", closefd=False) as file:
            order: Order = pickle.load(file)  # noqa: S301 (our own parent's)
            return order
    except (EOFError, pickle.UnpicklingError):
        return None


def _run(attempt: Attempt, settings: Settings) -> Outcome:
    try:
        if attempt.spec.on_worker_lost == "ask":
            unfinished.report(attempt, attempt.unfinished_tools())
        result = runner.run(attempt, settings)
    except (Interrupted, LeaseLost):
        if attempt.limits.reached:
            return Outcome("failed", code="limit", message=attempt.limits.reached.message)
        return Outcome("interrupted")
    except MissionFailed as failure:
        return Outcome(
            "failed", code=failure.code, message=failure.message, retryable=failure.retryable
        )
    except BaseException as error:  # noqa: BLE001 (the edge of the process)
        traceback.print_exc()  # into the log of the run, redacted there
        message = f"The run ended with {type(error).__name__}; its log has the traceback."
        return Outcome("failed", code="internal", message=message)
    return Outcome("completed", text=result.text, json=result.json)


def _finish(recorder: Recorder) -> None:
    try:
        recorder.close()
    except LeaseLost:
        recorder.lost.set()  # somebody else has the mission: nothing of ours counts any more


def _take_over_output(stdout: Connection, stderr: Connection) -> None:
    """Whatever writes to the standard streams, in Python or below it, writes to the pipes."""
    os.dup2(stdout.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    stdout.close()
    stderr.close()
    sys.stdout = open(1, "w", buffering=1, closefd=False, encoding="utf-8", errors="replace")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False, encoding="utf-8", errors="replace")  # noqa: SIM115
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # nothing may wait for a terminal
    os.close(null)
    faulthandler.enable()  # a crash below Python says where it was


def _log_into(attempt: Attempt, settings: Settings) -> None:
    root = logging.getLogger()
    root.handlers[:] = [LogHandler(attempt)]
    root.setLevel(settings.log_level)
    logging.getLogger("httpx").setLevel(
        max(logging.WARNING, root.level)
    )  # each call has its events


def _watch(stop: threading.Event, recorder: Recorder) -> None:
    """End the process when it has to and the crew does not: in threads, for the crew may block."""
    _in_thread(lambda: _end_after(stop, recorder))
    _in_thread(lambda: _stop_when_lost(stop, recorder))
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        # Nobody renews the lease any more, and nobody would see our outcome.
        _in_thread(lambda: wait([sentinel]) and os._exit(1))


def _stop_when_lost(stop: threading.Event, recorder: Recorder) -> None:
    recorder.lost.wait()
    stop.set()  # somebody else runs this mission now


def _end_after(stop: threading.Event, recorder: Recorder) -> None:
    stop.wait()
    threading.Event().wait(STOP_GRACE_S)
    _finish(recorder)
    _exit(0)


def _in_thread(target: Callable[[], object]) -> None:
    threading.Thread(target=target, daemon=True).start()


def _exit(code: int) -> None:
    """Leave without the interpreter's farewell: threads of libraries may hold it up for long."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
