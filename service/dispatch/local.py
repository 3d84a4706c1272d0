"""Dispatch by looking at the mission rows. On SQLite a look at an unchanged file costs 3 µs."""

import time
from collections.abc import Callable
from multiprocessing.connection import wait

from service.db import Database
from service.dispatch.handover import ToWhoLooks

# Behind a change that was seen, before the next is listened for: runs write all the time, and each
# change costs a look at the rows.
QUIET_S = 0.01


class LocalDispatch(ToWhoLooks):
    """Tells the worker when to look for missions and orders. Also on PostgreSQL, by LISTEN."""

    def __init__(self, db: Database, wake: Callable[[], None]) -> None:
        """wake: called from another thread when a look is worth it at once."""
        self._hint = db.change_hint("work", wake=wake)
        self._quiet_until = 0.0

    def waitables(self) -> list[int]:
        """What becomes ready behind a commit; nothing where `wake` is called instead."""
        eye = self._hint.fileno()
        return [] if eye is None or time.monotonic() < self._quiet_until else [eye]

    def pause_s(self, most_s: float) -> float:
        """How long one may wait for that, before the next look."""
        quiet_s = self._quiet_until - time.monotonic()
        return min(most_s, quiet_s) if quiet_s > 0 else most_s

    told = False  # what changes is seldom a mission to claim

    def has_news(self) -> bool:
        """Whether there may be something to claim, or an order, that was not there before."""
        if wait(self.waitables(), 0):
            self._hint.told()
        changed = self._hint.changed()
        if changed:
            self._quiet_until = time.monotonic() + QUIET_S
        return changed

    def settled(self, *, has_room: bool) -> None:
        """A round of claims is through."""

    def close(self) -> None:
        self._hint.close()
