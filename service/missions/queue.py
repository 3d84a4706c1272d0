"""Which queued mission is next: fair between workspaces, then by priority, then by age."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    func,
    or_,
    select,
    true,
    update,
)

from models import missions, workspaces
from service import clock
from service.db import rows
from service.missions.states import HELD, Status

CLAIMS_IN_TURN = 0x10_6C_11_6F  # an advisory lock's number: any that nobody else uses
# Asked at every commit, by each worker that has room.
LOOK = """
SELECT EXISTS (SELECT 1 FROM workspaces WHERE max_running IS NOT NULL) FROM missions
WHERE status = 'queued' AND (not_before_ms IS NULL OR not_before_ms <= ?) LIMIT 1
"""
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


@dataclass(frozen=True, slots=True)
class Due:
    """That there is something to claim. in_turn: claims have to follow one another, because of a limit."""

    in_turn: bool


def look(conn: Connection, limits: Limits = NO_LIMITS) -> Due | None:
    """Whether a claim may find something: a cheap look before the transaction of a claim."""
    found = list(rows(conn, LOOK, (clock.now_ms(),)))
    return Due(limits != NO_LIMITS or bool(found[0][0])) if found else None


def expected() -> Due:
    """What `look` would find for who was told of a mission. In turn, as nobody has looked for limits."""
    return Due(in_turn=True)


def turn(due: Due) -> int | None:
    """The lock that a claim's transaction begins with: two that count at once would pass a limit."""
    return CLAIMS_IN_TURN if due.in_turn else None


def take_turn(conn: Connection, limits: Limits) -> Due | None:
    """As `look`, in a transaction that began without that lock."""
    due = look(conn, limits)
    if due is not None and due.in_turn and conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(CLAIMS_IN_TURN)))
    return due


def begin_next(conn: Connection, limits: Limits, due: Due) -> Row[Any] | None:
    """The mission to claim, locked and in a new attempt; None when there is none, or no room for one.

    The workspace that was served longest ago comes first, so that one with a thousand queued
    missions does not hold up another with one.
    """
    if limits.overall is not None and _held(conn) >= limits.overall:
        return None
    room = _room(limits) if due.in_turn else None
    waiting = _waiting_workspaces(room)
    if conn.dialect.name == "postgresql":
        return _begin(conn, _first_of_them(waiting))
    for workspace_id in conn.execute(waiting).scalars().all():
        mission = _begin(conn, _first(workspace_id))
        if mission is not None:
            return mission
    return None


def served(workspace_id: int) -> Update:
    """It is another one's turn. To be executed behind the append, which has locked the workspace's row."""
    own = update(workspaces).where(workspaces.c.id == workspace_id)
    return own.values(claimed_ms=clock.now_ms())


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


def _waiting_workspaces(room: ColumnElement[bool] | None) -> Select[int]:
    queued = select(missions.c.id).where(missions.c.workspace_id == workspaces.c.id, _due())
    query = select(workspaces.c.id).where(queued.exists())
    if room is not None:
        query = query.where(room)
    return query.order_by(workspaces.c.claimed_ms, workspaces.c.id).limit(TRIED)


def _first(workspace_id: int | ColumnElement[int]) -> Select[int]:
    """The first mission of a workspace that no other claim has locked."""
    return (
        select(missions.c.id)
        .where(missions.c.workspace_id == workspace_id, _due())
        .order_by(missions.c.priority.desc(), missions.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )


def _first_of_them(waiting: Select[int]) -> Select[int]:
    """The same of the first workspace that has one. In those behind it nothing is locked."""
    place = waiting.subquery("place")
    first = _first(place.c.id).lateral("first")
    return select(first.c.id).select_from(place.join(first, true())).limit(1)


def _begin(conn: Connection, chosen: Select[int]) -> Row[Any] | None:
    """In the statement that chooses it: each is a round trip, during which other claims may have to wait."""
    return conn.execute(
        update(missions)
        .where(missions.c.id == chosen.scalar_subquery())
        .values(attempt=missions.c.attempt + 1)
        .returning(*missions.c)
    ).one_or_none()


def _due() -> ColumnElement[bool]:
    begins = missions.c.not_before_ms
    return and_(missions.c.status == Status.QUEUED, or_(begins.is_(None), begins <= clock.now_ms()))
