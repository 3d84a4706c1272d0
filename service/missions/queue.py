"""Which queued mission is next: fair between workspaces, then by priority, then by age."""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Update,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from models import missions, workspaces
from service import clock
from service.db import Database, rows
from service.events.kinds import NewEvent
from service.events.text import encode
from service.missions import transitions
from service.missions.states import HELD, Status


class Taken(NamedTuple):
    """What a claim leads to, of the mission's row."""

    id: int
    workspace_id: int
    spec: str
    attempt: int
    losses: int
    on_worker_lost: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


TAKEN = "claimed by a worker"
CLAIMS_IN_TURN = 0x10_6C_11_6F  # an advisory lock's number: any that nobody else uses
# All of a claim in PostgreSQL; see the migration that makes it. Each of its statements would be a round trip.
CLAIM = f"""
SELECT {", ".join(Taken._fields)} FROM longline_claim(
  %(lease_owner)s, %(now_ms)s, %(lease_until_ms)s, %(turn)s, %(overall)s, %(most)s,
  %(event)s, %(data)s
)
"""  # noqa: S608 (our own names)
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


def take(
    db: Database, owner: str, lease_ms: int, limits: Limits = NO_LIMITS, due: Due | None = None
) -> Taken | None:
    """Bring the mission whose turn it is under a lease, in a new attempt; None when there is none to take.

    The workspace that was served longest ago comes first, so that one with a thousand queued
    missions does not hold up another with one. due: what `look` has found. On PostgreSQL nobody is told of it,
    so that who is to run it comes first.
    """
    said = transitions.status_event("mission.running", Status.QUEUED, Status.RUNNING, TAKEN)
    lease: dict[str, Any] = {"lease_owner": owner, "lease_until_ms": said.at_ms + lease_ms}
    if not db.is_sqlite:
        return _take_in_the_server(db, said, limits, due or expected(), lease)
    with db.transaction() as conn:
        due = due or look(conn, limits)
        mission = None if due is None else _begin_next(conn, limits, due)
        if mission is None:
            return None
        transitions.move(conn, mission, Status.RUNNING, reason=TAKEN, **lease)
        conn.execute(SERVED, {"workspace": mission.workspace_id, "served_ms": said.at_ms})
    return Taken(*(getattr(mission, name) for name in Taken._fields))


def _take_in_the_server(
    db: Database, said: NewEvent, limits: Limits, due: Due, lease: dict[str, Any]
) -> Taken | None:
    """All of it on PostgreSQL. Claims follow one another where there is a limit: two that count at
    once would pass it.
    """
    given = {
        **lease,
        "now_ms": said.at_ms,
        "turn": CLAIMS_IN_TURN if due.in_turn else None,
        "overall": limits.overall,
        "most": limits.per_workspace,
        "event": said.name,
        "data": encode(said.data),
    }
    for row in db.at_once(CLAIM, given):
        return Taken(*row)
    return None


def _begin_next(conn: Connection, limits: Limits, due: Due) -> Row[Any] | None:
    """On SQLite, the mission to claim, in a new attempt; None when there is no room for one."""
    if limits.overall is not None and _held(conn) >= limits.overall:
        return None
    given = {"now_ms": clock.now_ms(), "most": limits.per_workspace}
    return conn.execute(_first(in_turn=due.in_turn), given).one_or_none()


def _held(conn: Connection) -> int:
    counted = select(func.count()).where(missions.c.lease_owner.is_not(None))
    return int(conn.execute(counted).scalar_one())


# Built once: building it takes longer than the claim.
@cache
def _first(*, in_turn: bool) -> Update:
    """The first mission of the first workspace that has one. in_turn: and room for it."""
    queued = select(missions.c.id).where(missions.c.workspace_id == workspaces.c.id, _due())
    place = select(workspaces.c.id).where(queued.exists())
    if in_turn:
        place = place.where(_room())
    place = place.order_by(workspaces.c.claimed_ms, workspaces.c.id).limit(1)
    first = (
        select(missions.c.id)
        .where(missions.c.workspace_id == place.scalar_subquery(), _due())
        .order_by(missions.c.priority.desc(), missions.c.id)
        .limit(1)
    )
    return (
        update(missions)
        .where(missions.c.id == first.scalar_subquery())
        .values(attempt=missions.c.attempt + 1)
        .returning(*missions.c)
    )


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


def _due() -> ColumnElement[bool]:
    begins = missions.c.not_before_ms
    now = bindparam("now_ms", type_=BigInteger)
    return and_(missions.c.status == Status.QUEUED, or_(begins.is_(None), begins <= now))
