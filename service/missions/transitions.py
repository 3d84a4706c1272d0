"""The only writer of a mission's status: row and STATUS event in one transaction, or neither.

But for two functions in PostgreSQL, which make and claim missions by the same rule: see the migrations.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, select, update

from models import missions
from service.errors import LeaseLost
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.missions import open_requests
from service.missions.states import HELD, MOVES, Status


def lock(conn: Connection, mission_id: int) -> Row[Any] | None:
    """The mission's row, held until the transaction ends. Always the first lock that is taken."""
    return conn.execute(
        select(missions).where(missions.c.id == mission_id).with_for_update(key_share=True)
    ).one_or_none()


def held(conn: Connection, mission_id: int, fence: log.Fence) -> Row[Any]:
    """The locked row of a mission that a worker still holds in its attempt. Raises LeaseLost."""
    mission = lock(conn, mission_id)
    if mission is None or mission.status not in HELD:
        raise LeaseLost(mission_id)
    if log.Fence(mission.attempt, mission.lease_owner) != fence:
        raise LeaseLost(mission_id)
    return mission


def move(
    conn: Connection,
    mission: Row[Any],
    to: Status,
    *,
    reason: str,
    before: Sequence[NewEvent] = (),
    fence: log.Fence | None = None,
    **columns: Any,
) -> int:
    """Take a locked mission to another status. Returns the seq of the STATUS event.

    before: events that are stored just ahead of it. columns: what else changes in the row.
    Questions that are open when a mission ends are closed as cancelled, before its last event.
    Raises LeaseLost when the fence does not hold or the mission cannot go there.
    """
    if to not in MOVES[Status(mission.status)]:
        raise LeaseLost(mission.id)
    closing = open_requests.cancel_all(conn, mission.id) if to.ended else []
    status = status_event(f"mission.{to}", mission.status, to, reason)
    batch = [*before, *closing, status]
    appended = log.append(conn, mission.id, batch, fence=fence)
    open_requests.number_responses(conn, batch, appended.first_seq)
    values = {"status": to, **_consequences(mission, to, status.at_ms), **columns}
    given = {"own_id": mission.id} | {f"new_{name}": value for name, value in values.items()}
    conn.execute(_update(tuple(values)), given)
    return appended.last_seq


@cache
def _update(columns: tuple[str, ...]) -> Update:
    """Built once: most of what one costs is building it."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    return update(missions).where(missions.c.id == bindparam("own_id")).values(values)


def _consequences(mission: Row[Any], to: Status, at_ms: int) -> dict[str, Any]:
    """The columns that follow from a status: when it started, when it ended, who holds it."""
    values: dict[str, Any] = {}
    if to is Status.RUNNING and mission.started_ms is None:
        values["started_ms"] = at_ms
    if to.ended:
        values["ended_ms"] = at_ms
    if to not in HELD:
        values |= {"lease_owner": None, "lease_until_ms": None}
    return values


def announce(conn: Connection, mission: Row[Any], name: str, reason: str) -> int:
    """A STATUS event that changes no status (`mission.cancelling`). Returns its seq."""
    event = status_event(name, mission.status, mission.status, reason)
    return log.append(conn, mission.id, [event], fence=None).last_seq


def status_event(name: str, old: str | None, new: str, reason: str | None) -> NewEvent:
    return NewEvent(Kind.STATUS, name, {"from": old, "to": str(new), "reason": reason})
