"""Batches that are stored once, though the answer to a commit may be lost. Tries once; who calls waits."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from service.db import Database
from service.events.kinds import NewEvent
from service.missions import progress
from service.missions.attempts import Claim

Write = Callable[[Connection], None]


class Once:
    """One writer of an attempt's events: its recorder, or the supervisor for what its process prints.

    A batch whose write was not answered has to be written again, as it was, before any other.
    Not for several threads at once.
    """

    def __init__(self, db: Database, claim: Claim) -> None:
        self._db = db
        self._claim = claim
        self._stored_seq = 0  # of the last event of ours that we know to be stored
        self._in_doubt = False

    def write(self, batch: Sequence[NewEvent], ahead: Write | None = None) -> None:
        """Store a batch, in the transaction that `ahead` begins; or find that it is stored.

        ahead: may still put something into the events' data. Not repeated when they are stored.
        Raises LeaseLost.
        """
        again, self._in_doubt = self._in_doubt, True
        alone = ahead is None and not again and progress.only_appends(batch)
        with self._db.statement() if alone else self._db.transaction() as conn:
            stored_seq = self._found(conn, batch[0]) if again else None
            if stored_seq is None:
                stored_seq = self._append(conn, batch, ahead)
        self._stored_seq, self._in_doubt = stored_seq, False

    def _append(self, conn: Connection, batch: Sequence[NewEvent], ahead: Write | None) -> int:
        if ahead is not None:
            ahead(conn)
        mission_id, fence = self._claim.mission_id, self._claim.fence
        return progress.record(conn, mission_id, batch, fence=fence).last_seq

    def _found(self, conn: Connection, event: NewEvent) -> int | None:
        mission_id, attempt = self._claim.mission_id, self._claim.fence.attempt
        return progress.find(conn, mission_id, event, attempt=attempt, after=self._stored_seq)


class Printed:
    """Lines of an attempt's process on their way into the log."""

    def __init__(self, db: Database, claim: Claim) -> None:
        self._once = Once(db, claim)
        self._batch: list[NewEvent] = []
        self._behind: list[NewEvent] = []

    def add(self, lines: Sequence[NewEvent]) -> None:
        self._behind += lines

    def write(self) -> None:
        """Store what has been added; what was in doubt first, and by itself. Raises LeaseLost."""
        while self:
            if not self._batch:
                self._batch, self._behind = self._behind, []
            self._once.write(self._batch)
            self._batch = []

    def forget(self) -> None:
        """Nobody may store it any more."""
        self._batch, self._behind = [], []

    def __bool__(self) -> bool:
        return bool(self._batch or self._behind)
