"""Processes that have everything but a mission: forked, connected and rehearsed ahead of the claim.

Belongs to the supervisor's thread alone, as all processes do.
"""

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from threading import Thread
from typing import Any

from service import durations
from service.config import Settings
from service.durations import Counts
from service.missions.attempts import Claim
from service.security.redaction import Redactor
from service.worker import entry, forks, surroundings
from service.worker.deadline import Deadline
from service.worker.surroundings import Surroundings

# Behind a claim, till the next process is prepared, which takes a fifth of a second of a processor: by
# then the one that was told has said its first word.
QUIET_S = 0.25
# A process that dies as soon as it stands by must not be forked all the time.
AFTER_DEATH_S = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is told, once. folder: its attempt's own working directory.

    around: in place of what it has prepared for, which most need.
    """

    claim: Claim
    around: Surroundings | None
    folder: Path


@dataclass(frozen=True, slots=True)
class Ends:
    """What a process is given when it is forked.

    order: where it is told; at its end without an order it goes. appends: counts that the parent
    reads. news: how far the mission's log is, as the parent sees it. ready: set to 1 when it waits
    with everything done that can be done before. around: what most missions run in. hurried: its order
    comes at once, so that nothing is rehearsed.
    """

    order: Connection
    outcome: Connection
    stdout: Connection
    stderr: Connection
    deadline: Deadline
    appends: Counts
    news: Any
    ready: Any
    around: Surroundings
    hurried: bool

    def close(self) -> None:
        for end in (self.order, self.outcome, self.stdout, self.stderr):
            end.close()


class Standby:
    """One process that waits for its order."""

    def __init__(
        self,
        context: ForkServerContext,
        settings: Settings,
        around: Surroundings,
        *,
        hurried: bool = False,
    ) -> None:
        self.deadline = Deadline(context)
        # Written by the child alone, so without a lock: one that was killed would never give it back.
        self.appends: Counts = context.RawArray("d", durations.SIZE)
        self.news = context.RawValue("q", 0)
        self._ready = context.RawValue("b", 0)
        order, self._order = context.Pipe(duplex=False)
        self.outcome, outcome = context.Pipe(duplex=False)
        self.stdout, stdout = context.Pipe(duplex=False)
        self.stderr, stderr = context.Pipe(duplex=False)
        ends = Ends(
            order,
            outcome,
            stdout,
            stderr,
            self.deadline,
            self.appends,
            self.news,
            self._ready,
            around,
            hurried,
        )
        self.process = context.Process(target=entry.enter, args=(settings, ends), daemon=True)
        forks.start(self.process)
        ends.close()

    @property
    def ready(self) -> bool:
        return bool(self._ready.value)

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    def tell(self, order: Order) -> None:
        """Give it its order; returns at once. One that has died says so by its end."""
        text = bytes(ForkingPickler.dumps(order))
        pipe = self._order.fileno()
        os.set_blocking(pipe, False)
        try:
            sent = os.write(pipe, text)
        except BrokenPipeError:
            sent = len(text)
        if sent == len(text):
            self._order.close()
        else:  # more than a pipe holds, which a process that was stopped does not take out
            Thread(target=_send, args=(self._order, text[sent:]), daemon=True).start()

    def end(self) -> None:
        """Send it away: without an order it has nothing to lose."""
        self.process.kill()
        self.process.join()
        self.process.close()
        for end in (self._order, self.outcome, self.stdout, self.stderr):
            end.close()


class Reserve:
    """The processes that wait. around, redactor: of a mission by spec, which they are prepared for."""

    def __init__(self, context: ForkServerContext, settings: Settings) -> None:
        self._context = context
        self._settings = settings
        self.around = surroundings.of_spec(settings)
        self.redactor = Redactor(self.around.secrets)
        self._waiting: list[Standby] = []
        self._begin_at = 0.0

    def take(self) -> Standby:
        """A process to be told at once: one that is ready, or else a new one, which rehearses nothing."""
        self._begin_at = time.monotonic() + QUIET_S
        for standby in self._waiting:
            if standby.ready and standby.alive:
                self._waiting.remove(standby)
                return standby
        return Standby(self._context, self._settings, self.around, hurried=True)

    def fill(self, *, room: int) -> None:
        """Replace what has died, and begin what is missing, one after the other and not at once.

        room: for missions. There is no use for more, and no connection to the database.
        """
        self._bury()
        for standby in self._waiting[max(0, room) :]:
            self._dismiss(standby)
        wanted = min(self._settings.standby, room)
        under_way = any(not standby.ready for standby in self._waiting)
        if len(self._waiting) < wanted and not under_way and time.monotonic() >= self._begin_at:
            self._waiting.append(Standby(self._context, self._settings, self.around))

    def waitables(self) -> Iterator[Any]:
        """What becomes ready when one has died."""
        return (standby.process.sentinel for standby in self._waiting)

    def end(self) -> None:
        """Keep none any more."""
        while self._waiting:
            self._waiting.pop().end()

    def _bury(self) -> None:
        for standby in [each for each in self._waiting if not each.alive]:
            logger.warning("a process that stood by has died; another takes its place")
            self._dismiss(standby)
            self._begin_at = time.monotonic() + AFTER_DEATH_S

    def _dismiss(self, standby: Standby) -> None:
        self._waiting.remove(standby)
        standby.end()


def _send(pipe: Connection, rest: bytes) -> None:
    os.set_blocking(pipe.fileno(), True)
    with pipe, open(pipe.fileno(), "wb", closefd=False) as file:
        try:
            file.write(rest)
        except BrokenPipeError:
            return  # it has died
