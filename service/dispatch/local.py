"""Dispatch by looking at the mission rows. On SQLite a look at an unchanged file costs 3 µs."""

from collections.abc import Callable

from service.db import Database
from service.dispatch.handover import ToWhoLooks


class LocalDispatch(ToWhoLooks):
    """Tells the worker when to look for missions and orders. Also on PostgreSQL, by LISTEN."""

    def __init__(self, db: Database, wake: Callable[[], None]) -> None:
        """wake: called from another thread when a look is worth it at once."""
        self._hint = db.change_hint("work", wake=wake)

    def has_news(self) -> bool:
        """Whether there may be something to claim, or an order, that was not there before."""
        return self._hint.changed()

    def settled(self, *, has_room: bool) -> None:
        """A round of claims is through."""

    def close(self) -> None:
        self._hint.close()
