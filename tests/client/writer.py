"""A worker's part of the log, written by a test: a mission is claimed, speaks, and ends."""

from typing import Any

from service.db import Database
from service.events import log
from service.missions.attempts import Claim
from tests.contract import given as the

__all__ = ["Writer"]


class Writer:
    """Holds one mission at a time, as the worker `worker-1` does."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def begin(self, **changes: Any) -> Claim:
        return the.running(self.db, **changes)

    def claim(self) -> Claim:
        """The oldest queued mission."""
        return the.claim(self.db)

    def say(self, claim: Claim, count: int, text: str = "word ") -> None:
        """Events in one transaction each."""
        for _ in range(count):
            with self.db.transaction() as conn:
                log.append(conn, claim.mission_id, [the.delta(text)], fence=claim.fence)

    def say_at_once(self, claim: Claim, count: int) -> None:
        with self.db.transaction() as conn:
            log.append(conn, claim.mission_id, [the.delta()] * count, fence=claim.fence)

    def ask(self, claim: Claim, **changes: Any) -> int:
        return the.ask(self.db, claim, the.question(**changes))

    def complete(self, claim: Claim, text: str = "Done.") -> None:
        the.complete(self.db, claim, text)

    def answered(self, request_id: int) -> Any:
        return the.request(self.db, request_id)
