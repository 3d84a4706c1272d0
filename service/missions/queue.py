"""Which queued mission is next: fair between workspaces, then by priority, then by age."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Update,
    and_,
    bindparam,
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
SERVED = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace"))
    .values(claimed_ms=bindparam("served_ms"))
)
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
    given = {"now_ms": clock.now_ms(), "most": limits.per_workspace}
    if conn.dialect.name == "postgresql":
        return conn.execute(_claim(in_turn=due.in_turn), given).one_or_none()
    for workspace_id in conn.execute(_waiting(in_turn=due.in_turn), given).scalars().all():
        own = {**given, "workspace": workspace_id}
        mission = conn.execute(_claim_in_one(), own).one_or_none()
        if mission is not None:
            return mission
    return None


def served(workspace_id: int) -> dict[Update, dict[str, int]]:
    """It is another one's turn. To be executed behind the append, which has locked the workspace's row."""
    return {SERVED: {"workspace": workspace_id, "served_ms": clock.now_ms()}}


def _held(conn: Connection) -> int:
    counted = select(func.count()).where(missions.c.lease_owner.is_not(None))
    return int(conn.execute(counted).scalar_one())


# Statements are built once: building the claim's takes longer than the claim.


@cache
def _claim(*, in_turn: bool) -> Update:
    """The first mission of the first workspace that has one. In those behind it nothing is locked."""
    place = _waiting(in_turn=in_turn).subquery("place")
    first = _first(place.c.id).lateral("first")
    return _begin(select(first.c.id).select_from(place.join(first, true())).limit(1))


@cache
def _claim_in_one() -> Update:
    """The first mission of one workspace."""
    return _begin(_first(bindparam("workspace", type_=Integer)))


@cache
def _waiting(*, in_turn: bool) -> Select[int]:
    """Workspaces with missions that are due. in_turn: that have room for one."""
    queued = select(missions.c.id).where(missions.c.workspace_id == workspaces.c.id, _due())
    query = select(workspaces.c.id).where(queued.exists())
    if in_turn:
        query = query.where(_room())
    return query.order_by(workspaces.c.claimed_ms, workspaces.c.id).limit(TRIED)


def _room() -> ColumnElement[bool]:
    """That a workspace holds fewer missions than it may."""
    held = (
        select(func.count())
        .where(missions.c.workspace_id == workspaces.c.id, missions.c.status.in_(HELD))
        .correlate(workspaces)
        .scalar_subquery()
    )
    most = func.coalesce(workspaces.c.max_running, bindparam("most", type_=Integer))
    return or_(most.is_(None), held < most)


def _first(workspace_id: ColumnElement[int]) -> Select[int]:
    """The first mission of a workspace that no other claim has locked."""
    return (
        select(missions.c.id)
        .where(missions.c.workspace_id == workspace_id, _due())
        .order_by(missions.c.priority.desc(), missions.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )


def _begin(chosen: Select[int]) -> Update:
    """In the statement that chooses it: each is a round trip, during which other claims may have to wait."""
    return (
        update(missions)
        .where(missions.c.id == chosen.scalar_subquery())
        .values(attempt=missions.c.attempt + 1)
        .returning(*missions.c)
    )


def _due() -> ColumnElement[bool]:
    begins = missions.c.not_before_ms
    now = bindparam("now_ms", type_=BigInteger)
    return and_(missions.c.status == Status.QUEUED, or_(begins.is_(None), begins <= now))
