"""Handing a mission over to the workers, in the transaction that queues it."""

from typing import Protocol

from sqlalchemy import Connection, func, select

from service.missions.commands import Job


class HandOver(Protocol):
    """What whoever queues a mission tells the workers. Undone with the transaction.

    job: what `hand_over` enqueues, for who has the server do it; None for a word on `longline_work`.
    """

    @property
    def job(self) -> Job | None: ...

    def hand_over(self, conn: Connection, mission_id: int) -> None: ...


class ToWhoLooks:
    """Nothing to tell where workers look at the file; a word to those who listen elsewhere."""

    job = None

    def hand_over(self, conn: Connection, mission_id: int) -> None:
        # Inside the transaction, unlike the bell: missions are few beside their events.
        if conn.dialect.name == "postgresql":
            conn.execute(select(func.pg_notify("longline_work", str(mission_id))))
