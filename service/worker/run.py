"""The child: one attempt of one mission, from a fork of the warm parent to its outcome."""

import faulthandler
import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection, wait
from pathlib import Path

from service import config
from service.agents import runner
from service.agents.context import Interrupted, MissionFailed
from service.agents.prices import Prices
from service.config import Settings
from service.db import Database
from service.durations import Counts
from service.errors import LeaseLost
from service.missions.attempts import Claim
from service.security.redaction import Redactor
from service.worker import unfinished
from service.worker.attempt import Attempt, LogHandler
from service.worker.deadline import Deadline
from service.worker.outcome import Outcome
from service.worker.recorder import Recorder
from service.worker.surroundings import Surroundings

# From the order to stop until the child ends itself. While events flow the crew is left within
# a tenth of a second; a tool that blocks is not waited for.
STOP_GRACE_S = 2.0


def main(
    claim: Claim,
    settings: Settings,
    around: Surroundings,
    folder: Path,
    outcome: Connection,
    stdout: Connection,
    stderr: Connection,
    deadline: Deadline,
    appends: Counts,
) -> None:
    """Run an attempt and send its Outcome. Entered in a fresh fork; never returns to its caller.

    folder: the attempt's own working directory. stdout, stderr: pipes that the parent reads.
    appends: counts that it reads.
    """
    _take_over_output(stdout, stderr)
    stop = threading.Event()
    finish = threading.Event()  # when the task that runs is done
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGUSR1, lambda *_: finish.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then tells us
    os.setsid()  # without a terminal: nothing can open /dev/tty and wait there
    os.chdir(folder)
    config.become(around.environment)
    # Transactions are short and follow each other: with one connection each, a server bears many.
    db = Database(settings, pool_size=1)
    recorder = Recorder(db, claim, Redactor(around.secrets), appends)
    recorder.start()
    _watch(stop, recorder)
    prices = Prices(settings, around.environment.get("OPENAI_BASE_URL"))
    attempt = Attempt(db, claim, recorder, stop=stop, finish=finish, prices=prices)
    if claim.spec.on_limit == "ask":
        deadline.keep_asking(claim.spec.limits.max_seconds, attempt.limits.ask_for_seconds)
    _log_into(attempt, settings)
    ended = _run(attempt, settings)
    _finish(recorder)
    outcome.send(asdict(ended))
    _exit(0)


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
