"""Leases: what a worker holds and until when; renewed by its holder, recovered by others when it has run out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from models import missions
from service import clock
from service.db import rows
from service.events.log import Fence
from service.missions import attempts, transitions
from service.missions.states import HELD, Status

ORDERS = (missions.c.id, missions.c.mseq, missions.c.status, missions.c.cancel_requested_ms)
# A worker asks at every commit while it runs something.
ORDERS_OF = f"""SELECT {", ".join(column.name for column in ORDERS)} FROM missions
WHERE lease_owner = ? AND status IN {tuple(sorted(map(str, HELD)))}"""  # noqa: S608 (our own names)


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a mission, and until when by that worker's clock."""

    mission_id: int
    fence: Fence
    until_ms: int


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a worker still holds: how far each one's log is, and which somebody wants cancelled.

    waiting: whether one of them waits for a human.
    """

    held: Mapping[int, int]
    cancelled: frozenset[int]
    waiting: bool = False


def renew(conn: Connection, owner: str, mission_ids: Iterable[int], *, lease_s: float) -> Renewed:
    """Extend a worker's leases of these missions, and read its cancel orders, in one statement.

    Not of all that it holds: it may have claimed one without hearing of it, because the database
    died behind the commit. Nobody runs that one, so its lease has to run out.
    """
    found = conn.execute(
        update(missions)
        .where(
            missions.c.lease_owner == owner,
            missions.c.id.in_(list(mission_ids)),
            missions.c.status.in_(HELD),
        )
        .values(lease_until_ms=clock.now_ms() + int(lease_s * 1000))
        .returning(*ORDERS)
    ).all()
    return _renewed(found)


def orders(conn: Connection, owner: str) -> Renewed:
    """As `renew`, without writing: for a look at every change of the database."""
    return _renewed(list(rows(conn, ORDERS_OF, (owner,))))


def _renewed(found: Sequence[Sequence[Any]]) -> Renewed:
    """found: rows of ORDERS."""
    return Renewed(
        {mission: mseq for mission, mseq, _, _ in found},
        frozenset(mission for mission, _, _, cancelled_ms in found if cancelled_ms is not None),
        any(status == Status.WAITING for _, _, status, _ in found),
    )


def doubtful_leases(conn: Connection, *, lease_s: float) -> list[Lease]:
    """Leases that by our clock ran out, or lie so far ahead that one of the clocks is wrong."""
    return _leases(conn, doubtful(lease_s))


def doubtful(lease_s: float) -> ColumnElement[bool]:
    """That a mission's is such a lease."""
    now, most_ms = clock.now_ms(), int(lease_s * 1000)
    off = or_(missions.c.lease_until_ms < now, missions.c.lease_until_ms > now + 2 * most_ms)
    return and_(missions.c.status.in_(HELD), off)


def held_by(conn: Connection, owner: str) -> list[Lease]:
    """What a worker holds."""
    return _leases(conn, and_(missions.c.lease_owner == owner, missions.c.status.in_(HELD)))


def _leases(conn: Connection, which: ColumnElement[bool]) -> list[Lease]:
    found = conn.execute(
        select(missions.c.id, missions.c.attempt, missions.c.lease_owner, missions.c.lease_until_ms)
        .where(which)
        .order_by(missions.c.id)
    )
    return [Lease(row.id, Fence(row.attempt, row.lease_owner), row.lease_until_ms) for row in found]


def lose_lease(conn: Connection, lease: Lease, *, reason: str) -> Status | None:
    """As `attempts.lose`, unless the lease has been renewed or given up since it was read."""
    mission = transitions.lock(conn, lease.mission_id)
    if mission is None or mission.lease_until_ms != lease.until_ms:
        return None
    if mission.status not in HELD or Fence(mission.attempt, mission.lease_owner) != lease.fence:
        return None
    return attempts.lose(conn, lease.mission_id, reason=reason)
