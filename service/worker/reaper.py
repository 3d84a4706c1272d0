"""The reaper: recovers what dead workers left, and expires what nobody answered."""

import logging

from service.db import Database
from service.missions import attempts
from service.requests import answering
from service.worker import identity, registry

logger = logging.getLogger(__name__)


def recover_neighbours(db: Database) -> None:
    """Recover at once what workers of this machine held whose process is gone.

    Elsewhere only the lease tells; here the process table does, so a restart need not wait for it.
    """
    with db.reading() as conn:
        gone = registry.gone_from(conn, identity.host())
    for worker_id in gone:
        with db.transaction() as conn:
            for mission_id in attempts.held_by(conn, worker_id):
                logger.warning("mission %s: recovered from worker %s", mission_id, worker_id)
                attempts.lose(conn, mission_id, reason="its worker is gone")
            registry.sign_off(conn, worker_id)


def recover_expired(db: Database) -> None:
    """Recover missions whose lease ran out, whoever held them."""
    with db.reading() as conn:
        expired = attempts.expired_leases(conn)
    for mission_id in expired:
        with db.transaction() as conn:
            if mission_id in attempts.expired_leases(conn):  # it may have been renewed meanwhile
                logger.warning("mission %s: its lease ran out", mission_id)
                attempts.lose(conn, mission_id, reason="its worker's lease ran out")


def expire_requests(db: Database) -> None:
    """Close questions past their deadline, also of missions that no child waits for just now."""
    with db.reading() as conn:
        due = answering.any_due(conn)
    if due:
        with db.transaction() as conn:
            answering.expire_due(conn)
