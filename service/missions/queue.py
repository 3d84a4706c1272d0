"""Which queued mission is next: fair between workspaces, then by priority, then by age."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from models import missions, workspaces
from service import clock
from service.missions.states import HELD, Status

CLAIMS_IN_TURN = 0x10_6C_11_6F  # an advisory lock's number: any that nobody else uses
# Workspaces that a claim tries: others may be claiming in the first ones just now.
TRIED = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How many missions may be held at once, running or waiting; None: any number.

    overall: by all workers. per_workspace: of one workspace, unless its row says otherwise.
    All workers have to be told the same.
    """

    overall: int | None = None
    per_workspace: int | None = None


NO_LIMITS = Limits()


def anything_due(conn: Connection) -> bool:
    """Whether a claim may find something: a cheap look before the transaction of a claim."""
    return conn.execute(select(missions.c.id).where(_due()).limit(1)).first() is not None


def begin_next(conn: Connection, limits: Limits) -> Row[Any] | None:
    """The mission to claim, locked and in a new attempt; None when there is none, or no room for one.

    The workspace that was served longest ago comes first, so that one with a thousand queued
    missions does not hold up another with one.
    """
    limited = _take_turns(conn, limits)
    if limits.overall is not None and _held(conn) >= limits.overall:
        return None
    room = _room(limits) if limited else None
    for workspace_id in _waiting_workspaces(conn, room):
        mission = _begin_first(conn, workspace_id)
        if mission is not None:
            return mission
    return None


def note_served(conn: Connection, workspace_id: int) -> None:
    """It is another one's turn. Behind the append, which has locked the workspace's row."""
    conn.execute(
        update(workspaces).where(workspaces.c.id == workspace_id).values(claimed_ms=clock.now_ms())
    )


def _take_turns(conn: Connection, limits: Limits) -> bool:
    """Where there is a limit, claim one after the other: two that count at once would pass it."""
    any_own = select(workspaces.c.id).where(workspaces.c.max_running.is_not(None)).limit(1)
    limited = limits != NO_LIMITS or conn.execute(any_own).first() is not None
    if limited and conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(CLAIMS_IN_TURN)))
    return limited


def _held(conn: Connection) -> int:
    counted = select(func.count()).where(missions.c.lease_owner.is_not(None))
    return int(conn.execute(counted).scalar_one())


def _room(limits: Limits) -> ColumnElement[bool]:
    """That a workspace holds fewer missions than it may."""
    held = (
        select(func.count())
        .where(missions.c.workspace_id == workspaces.c.id, missions.c.status.in_(HELD))
        .correlate(workspaces)
        .scalar_subquery()
    )
    most = func.coalesce(workspaces.c.max_running, limits.per_workspace)
    return or_(most.is_(None), held < most)


def _waiting_workspaces(conn: Connection, room: ColumnElement[bool] | None) -> list[int]:
    queued = select(missions.c.id).where(missions.c.workspace_id == workspaces.c.id, _due())
    query = select(workspaces.c.id).where(queued.exists())
    if room is not None:
        query = query.where(room)
    order = query.order_by(workspaces.c.claimed_ms, workspaces.c.id).limit(TRIED)
    return list(conn.execute(order).scalars())


def _begin_first(conn: Connection, workspace_id: int) -> Row[Any] | None:
    """In one statement: each is a round trip, during which other claims may have to wait."""
    first = (
        select(missions.c.id)
        .where(missions.c.workspace_id == workspace_id, _due())
        .order_by(missions.c.priority.desc(), missions.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return conn.execute(
        update(missions)
        .where(missions.c.id == first.scalar_subquery())
        .values(attempt=missions.c.attempt + 1)
        .returning(*missions.c)
    ).one_or_none()


def _due() -> ColumnElement[bool]:
    begins = missions.c.not_before_ms
    return and_(missions.c.status == Status.QUEUED, or_(begins.is_(None), begins <= clock.now_ms()))
