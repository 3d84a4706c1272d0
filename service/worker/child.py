"""A child as the supervisor sees it: given its mission, read, told to stop, ended."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from service.config import Settings
from service.events.kinds import NewEvent
from service.missions.attempts import Claim
from service.security.redaction import Redactor
from service.worker import surroundings
from service.worker.outcome import Outcome
from service.worker.output import OutputStream
from service.worker.standby import Order, Reserve

KILL_AFTER_S = 5.0  # a child ends itself after two; this is for one that cannot
OUTPUT_GRACE_S = 1.0  # a grandchild may hold the pipe open for ever


class Child:
    """One running attempt. Made and used by the supervisor's thread alone."""

    def __init__(self, claim: Claim, settings: Settings, reserve: Reserve) -> None:
        self.claim = claim
        self.reason: str | None = (
            None  # why it was told to stop: finish, stopping, cancel, lost, limit
        )
        self._folder = _make_folder(settings, claim)
        around = surroundings.of_claim(claim, settings)
        # What the process says is redacted here.
        self.redactor = reserve.redactor if around is None else Redactor(around.secrets)
        self._kill_at: float | None = None
        self._give_up_at: float | None = None
        told = reserve.take()
        self.appends = told.appends
        self._news = told.news
        self.deadline = told.deadline
        most, asked = claim.spec.limits.max_seconds, claim.spec.on_limit == "ask"
        self.deadline.set(most, asked=asked)
        told.tell(Order(claim, around, self._folder))
        self._process = told.process
        self._outcome = told.outcome
        self._streams = [
            OutputStream("stdout", told.stdout, self.redactor),
            OutputStream("stderr", told.stderr, self.redactor),
        ]

    def waitables(self) -> Iterator[Any]:
        """What becomes ready when there is something to do here."""
        yield from (stream.pipe for stream in self._streams if stream.open)
        if self._give_up_at is None:
            yield self._process.sentinel

    def read_output(self) -> list[NewEvent]:
        return [event for stream in self._streams for event in stream.read()]

    def tell(self, mseq: int) -> None:
        """How far the mission's log is: who waits in it for an answer looks when it has moved."""
        self._news.value = mseq

    def finish_task(self) -> None:
        """Tell it, once, to end when its task is done: the worker is going down."""
        if self.reason is None and self._process.pid is not None:
            self.reason = "finish"
            os.kill(self._process.pid, signal.SIGUSR1)

    def stop(self, reason: str) -> None:
        """Tell it to end, once. reason: decides what becomes of the mission."""
        if self.reason in (None, "finish"):
            self.reason = reason
            self._kill_at = time.monotonic() + KILL_AFTER_S
            self._process.terminate()

    def kill(self, reason: str) -> None:
        self.reason = reason
        self._process.kill()

    def kill_if_overdue(self) -> None:
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._process.kill()

    def ended(self) -> bool:
        """Whether the process has gone and all that it wrote has been read."""
        if self._process.is_alive():
            return False
        if self._give_up_at is None:
            self._give_up_at = time.monotonic() + OUTPUT_GRACE_S
        return time.monotonic() >= self._give_up_at or not any(s.open for s in self._streams)

    @cached_property
    def outcome(self) -> Outcome | None:
        """What it sent before it ended; None when it died. Never judged by the exit code alone."""
        return _received(self._outcome)

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    def release(self) -> None:
        """Give back what it held: pipes, process, folder."""
        for stream in self._streams:
            stream.close()
        self._outcome.close()
        self._process.join()
        self._process.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def describe_exit(code: int | None) -> str:
    """`signal SIGKILL` or `exit code 3`."""
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _received(pipe: Connection) -> Outcome | None:
    try:
        return Outcome(**pipe.recv()) if pipe.poll() else None
    except EOFError:
        return None


def _make_folder(settings: Settings, claim: Claim) -> Path:
    """A working directory of its own: projects write files relative to where they run."""
    folder = settings.data / "runs" / f"{claim.mission_id}-{claim.fence.attempt}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
