"""The child: one attempt of one mission, from its order to its outcome, in a fork of the warm parent."""

import faulthandler
import gc
import logging
import os
import pickle
import signal
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path

from service import config
from service.agents import runner
from service.agents.context import Interrupted, MissionFailed
from service.agents.prices import Prices
from service.config import Settings
from service.db import UNAVAILABLE, Database
from service.errors import LeaseLost
from service.events.kinds import Kind, NewEvent
from service.events.log import Fence
from service.missions import progress
from service.missions.attempts import Claim
from service.missions.specs import SMALLEST
from service.security.redaction import Redactor
from service.worker import unfinished
from service.worker.attempt import Attempt, LogHandler
from service.worker.outcome import Outcome
from service.worker.recorder import Recorder
from service.worker.standby import Ends, Order
from service.worker.watch import Watch, leave

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
    watch = Watch()
    recorder = Recorder(db, ends.appends, on_lost=watch.stop.set)
    for threaded in (watch, recorder):
        threaded.start()
    _set_levels(settings)
    _take_over_output(ends.stdout, ends.stderr)
    config.become(ends.around.environment)
    redactor = Redactor(ends.around.secrets)
    ends.ready.value = not ends.hurried
    order = _received(ends.order)
    if order is None:
        os._exit(0)  # nobody needs us any more, or the supervisor has died
    watch.last = lambda: _finish(recorder)
    _begin(db, order, settings, ends, recorder, redactor, stop=watch.stop, finish=finish)


def _begin(
    db: Database,
    order: Order,
    settings: Settings,
    ends: Ends,
    recorder: Recorder,
    redactor: Redactor,
    *,
    stop: threading.Event,
    finish: threading.Event,
) -> None:
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.chdir(order.folder)
    around = order.around or ends.around
    if order.around is not None:
        config.become(around.environment)
        redactor = Redactor(around.secrets)
    recorder.take_up(order.claim, redactor)
    attempt = Attempt(
        db,
        order.claim,
        recorder,
        stop=stop,
        finish=finish,
        prices=Prices(settings, around.environment.get("OPENAI_BASE_URL")),
        told=lambda: float(ends.news.value),
    )
    _keep_asking(attempt, ends)
    logging.getLogger().handlers[:] = [LogHandler(attempt)]
    ended = _run(attempt, settings)
    _finish(recorder)
    ends.outcome.send(asdict(ended))
    leave(0)


def _prepare(db: Database) -> None:
    """What the first crew of a process would spend its first moments on; its threads are our own."""
    runner.rehearse()
    claim = Claim(NO_MISSION, NO_MISSION, Fence(0, ""), SMALLEST, 0)
    pickle.loads(pickle.dumps(Order(claim, None, Path())))  # noqa: S301 (our own)
    event = NewEvent(Kind.LOG, "none", {})
    for begin in (db.transaction, db.statement):
        with suppress(LeaseLost, *UNAVAILABLE), begin() as conn:
            progress.rehearse(conn, NO_MISSION, event)
    with suppress(*UNAVAILABLE), db.glance() as conn:  # what a later attempt begins with
        progress.finished(conn, NO_MISSION)
    gc.collect()
    gc.freeze()  # as in the parent: what is common to all is not to be copied by a collection


def _keep_asking(attempt: Attempt, ends: Ends) -> None:
    if attempt.spec.on_limit == "ask":
        allowed_s = attempt.spec.limits.max_seconds
        ends.deadline.keep_asking(allowed_s, attempt.limits.ask_for_seconds)


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


def _set_levels(settings: Settings) -> None:
    """What of Python's logging is heard. Each change has all loggers forget what they knew."""
    root = logging.getLogger()
    root.setLevel(settings.log_level)
    logging.getLogger("httpx").setLevel(
        max(logging.WARNING, root.level)
    )  # each call has its events
