"""Whose turn a job is: all workers hear of it at once, and one of them should go for it first.

A rule that needs no word between them: they number the living workers alike, mostly. Where two differ, both
go or none does, and either costs some milliseconds.
"""

import time

from sqlalchemy import select

from models import workers
from service import clock
from service.db import Database

MEET_EVERY_S = 5.0
SILENT_AFTER = 3  # renewals that a worker was not seen for: it is likely gone


class Turns:
    """The order of the living workers, as one of them sees it."""

    def __init__(self, db: Database, name: str, *, renew_s: float) -> None:
        """name: one's own, in the table of workers or not. renew_s: how often each says that it lives."""
        self._db = db
        self._name = name
        self._silent_ms = int(SILENT_AFTER * renew_s * 1000)
        self._order = [name]
        self._meet_at = 0.0

    def is_ours(self, job: int) -> bool:
        """From any thread."""
        order = self._order
        return order[job % len(order)] == self._name

    def meet(self) -> None:
        """Now and then: see who is there."""
        now = time.monotonic()
        if now < self._meet_at:
            return
        self._meet_at = now + MEET_EVERY_S
        living = select(workers.c.id).where(
            workers.c.stopped_ms.is_(None), workers.c.seen_ms >= clock.now_ms() - self._silent_ms
        )
        with self._db.glance() as conn:
            self._order = sorted({self._name, *conn.execute(living).scalars()})
