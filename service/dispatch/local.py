"""Dispatch by looking at the mission rows. On SQLite a look at an unchanged file costs 3 µs."""

from service.db import Database
from service.missions import attempts
from service.missions.attempts import Claim


class LocalDispatch:
    """Hands queued missions to the worker that asks for them, oldest first."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._hint = db.change_hint()

    def has_news(self) -> bool:
        """Whether there may be something to claim, or an order, that was not there before."""
        return self._hint.changed()

    def claim(self, owner: str, *, lease_s: float) -> Claim | None:
        """The next mission, held by `owner` from now on; None when there is none."""
        with self._db.transaction() as conn:
            return attempts.claim_next(conn, owner, lease_s=lease_s)

    def close(self) -> None:
        self._hint.close()
