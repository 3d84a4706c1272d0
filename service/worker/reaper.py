"""The reaper: recovers what dead workers left, and expires what nobody answered."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from models import missions, requests
from service.db import Database
from service.dispatch.handover import HandOver
from service.missions import checkpoints, leases
from service.missions.leases import Lease
from service.missions.states import Status
from service.requests import answering
from service.worker import identity, registry

SWEEP_EVERY_S = 60.0

logger = logging.getLogger(__name__)


class Reaper:
    """Runs in every worker; of several that find the same, one recovers it.

    A lease is a time by its holder's clock, and clocks are wrong: set back, set forward, drifting.
    So a lease that looks bad by ours is watched by a clock that only goes forward, and recovered
    when it was not renewed for a while.
    """

    def __init__(
        self,
        db: Database,
        dispatch: HandOver,
        *,
        lease_s: float,
        renew_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._dispatch = dispatch
        self._lease_s = lease_s
        self._silence_s = 1.2 * renew_s  # a live holder has renewed by then
        self._monotonic = monotonic
        self._sweep_at = monotonic()
        self._first_seen: dict[Lease, float] = {}

    def recover_neighbours(self) -> None:
        """Recover at once what workers of this machine held whose process is gone.

        Elsewhere only the lease tells; here the process table does, so a restart need not wait for it.
        """
        with self._db.reading() as conn:
            gone = registry.gone_from(conn, identity.host())
        for worker_id in gone:
            with self._db.reading() as conn:
                held = leases.held_by(conn, worker_id)
            for lease in held:
                self._recover(lease, "its worker is gone")
            with self._db.transaction() as conn:
                registry.sign_off(conn, worker_id)

    def turn(self, data: Path) -> None:
        """Look, with one statement, whether there is anything to recover, expire or remove; and do it."""
        with self._db.glance() as conn:
            lost, questions = conn.execute(
                select(
                    select(missions.c.id).where(leases.doubtful(self._lease_s)).exists(),
                    select(requests.c.id).where(answering.overdue()).exists(),
                )
            ).one()
        if lost or self._first_seen:
            self.recover_expired()
        if questions:
            self.expire_requests()
        self.sweep(data)

    def recover_expired(self) -> None:
        """Recover missions whose lease ran out, whoever held them."""
        with self._db.glance() as conn:
            doubtful = leases.doubtful_leases(conn, lease_s=self._lease_s)
        now = self._monotonic()
        self._first_seen = {lease: self._first_seen.get(lease, now) for lease in doubtful}
        for lease, since in self._first_seen.items():
            if now - since >= self._silence_s:
                self._recover(lease, "its worker's lease ran out")

    def expire_requests(self) -> None:
        """Close questions past their deadline, also of missions that no child waits for just now."""
        with self._db.glance() as conn:
            due = answering.due(conn)
        for request_id in due:
            with self._db.transaction() as conn:
                answering.expire(conn, request_id)

    def sweep(self, data: Path) -> None:
        """Every minute: remove what runs kept to go on from, of missions that have ended."""
        now = self._monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_EVERY_S
            checkpoints.sweep(self._db, data)

    def _recover(self, lease: Lease, reason: str) -> None:
        """One mission in a transaction: who holds a workspace must not want another mission."""
        with self._db.transaction() as conn:
            status = leases.lose_lease(conn, lease, reason=reason)
            if status is Status.QUEUED:
                self._dispatch.hand_over(conn, lease.mission_id)
        if status is not None:
            numbers = {"mission": lease.mission_id, "attempt": lease.fence.attempt}
            logger.warning("mission %s: recovered, %s", lease.mission_id, reason, extra=numbers)
