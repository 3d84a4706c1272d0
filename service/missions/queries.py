"""Missions as clients see them: one, or the list. Reads only."""

from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Text, bindparam, cast, func, select

from models import missions, requests, workspaces
from service.clock import rfc3339, rfc3339_or_none
from service.db import rows
from service.errors import Problem
from service.events import log
from service.events.text import decode

# Asked for each poll of a mission.
EXISTING = "SELECT id FROM missions WHERE id IN"
STATUS_AND_REV = "SELECT status, rev FROM missions WHERE id = ? AND workspace_id = ?"
NEWEST = "SELECT max(seq) FROM events WHERE mission_id = missions.id"
STATUS_AND_NEWEST = f"SELECT id, status, ({NEWEST}) FROM missions WHERE workspace_id = ? AND id IN"  # noqa: S608
# The numbers of a mission's unanswered requests, as text with commas.
OPEN_REQUESTS = (
    select(func.aggregate_strings(cast(requests.c.id, Text), ","))
    .where(requests.c.mission_id == missions.c.id, requests.c.status == "pending")
    .correlate(missions)
    .scalar_subquery()
)
# Built once: most of what one costs is building it.
ONE = (
    select(missions, workspaces.c.head, OPEN_REQUESTS.label("open_requests"))
    .join(workspaces, workspaces.c.id == missions.c.workspace_id)
    .where(missions.c.id == bindparam("mission"), workspaces.c.id == bindparam("workspace"))
)
# What is shown of a mission that nothing has happened to, beside what it was given.
UNTOUCHED = {
    "attempt": 0,
    **dict.fromkeys(("started_ms", "ended_ms", "result", "error", "cost_usd")),
    **dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens", "tasks_done"), 0),
    "usage_by_agent": "{}",
}


def one(conn: Connection, workspace_id: int, mission_id: int) -> dict[str, Any]:
    """A mission with `as_of`, the cursor of this view, which is one statement's. Raises Problem not_found."""
    row = conn.execute(ONE, {"workspace": workspace_id, "mission": mission_id}).one_or_none()
    if row is None:
        raise _unknown(mission_id)
    pending = sorted(int(number) for number in (row.open_requests or "").split(",") if number)
    return {**_view(row, pending), "as_of": row.head}


def new(given: Mapping[str, Any], seq: int) -> dict[str, Any]:
    """As `one`, of a mission that is being made. given: its id, and what it begins with; seq: of its one event."""
    row = SimpleNamespace(**{**UNTOUCHED, **given}, rev=seq)
    return {**_view(row, []), "as_of": seq}


def page(
    conn: Connection,
    workspace_id: int,
    *,
    limit: int,
    before: int | None = None,
    statuses: Sequence[str] = (),
    engine: str | None = None,
    project: str | None = None,
    title: str | None = None,
) -> tuple[list[dict[str, Any]], int, bool]:
    """Missions, newest first, with the cursor of the snapshot, and whether there are older ones.

    before: only ids below it. title: only those whose title has this text in it, in upper or lower
    case. The cursor is read first: following it misses nothing.
    """
    as_of = log.head(conn, workspace_id).head
    query = select(missions).where(missions.c.workspace_id == workspace_id)
    if before is not None:
        query = query.where(missions.c.id < before)
    if statuses:
        query = query.where(missions.c.status.in_(statuses))
    if engine is not None:
        query = query.where(missions.c.engine == engine)
    if project is not None:
        query = query.where(missions.c.project == project)
    if title is not None:
        query = query.where(missions.c.title.icontains(title, autoescape=True))
    newest = conn.execute(query.order_by(missions.c.id.desc()).limit(limit + 1)).all()
    more = len(newest) > limit
    newest = newest[:limit]
    pending = _pending(conn, [row.id for row in newest])
    return [_view(row, pending.get(row.id, [])) for row in newest], as_of, more


def require(conn: Connection, workspace_id: int, mission_ids: Sequence[int]) -> None:
    """Raises Problem not_found when one of them is unknown or another workspace's."""
    known = existing(conn, mission_ids, workspace_id)
    for mission_id in mission_ids:
        if mission_id not in known:
            raise _unknown(mission_id)


def existing(
    conn: Connection, mission_ids: Collection[int], workspace_id: int | None = None
) -> set[int]:
    """Those of the ids that are missions, of one workspace or of any."""
    if not mission_ids:
        return set()
    query = f"{EXISTING} ({','.join('?' * len(mission_ids))})"
    if workspace_id is None:
        return {row[0] for row in rows(conn, query, [*mission_ids])}
    return {
        row[0] for row in rows(conn, f"{query} AND workspace_id = ?", [*mission_ids, workspace_id])
    }


def status_and_rev(conn: Connection, workspace_id: int, mission_id: int) -> tuple[str, int]:
    """A mission's status and the seq of its last STATUS event. Raises Problem not_found."""
    for status, rev in rows(conn, STATUS_AND_REV, (mission_id, workspace_id)):
        return status, rev
    raise _unknown(mission_id)


def status_and_newest(
    conn: Connection, workspace_id: int, mission_ids: Collection[int]
) -> dict[int, tuple[str, int]]:
    """Of those of the ids that are missions of a workspace, their status and the seq of their newest event.

    0 where none of its events is stored.
    """
    if not mission_ids:
        return {}
    query = f"{STATUS_AND_NEWEST} ({','.join('?' * len(mission_ids))})"
    found = rows(conn, query, [workspace_id, *mission_ids])
    return {mission: (status, newest or 0) for mission, status, newest in found}


def _unknown(mission_id: int) -> Problem:
    return Problem("not_found", f"There is no mission {mission_id}.")


def _pending(conn: Connection, mission_ids: Sequence[int]) -> dict[int, list[int]]:
    open_ones = conn.execute(
        select(requests.c.mission_id, requests.c.id)
        .where(requests.c.mission_id.in_(mission_ids), requests.c.status == "pending")
        .order_by(requests.c.id)
    )
    found: dict[int, list[int]] = {}
    for row in open_ones:
        found.setdefault(row.mission_id, []).append(row.id)
    return found


def _view(row: Any, pending: list[int]) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "engine": row.engine,
        "status": row.status,
        "rev": row.rev,
        "attempt": row.attempt,
        "created_at": rfc3339(row.created_ms),
        "started_at": rfc3339_or_none(row.started_ms),
        "ended_at": rfc3339_or_none(row.ended_ms),
        "retry_of": row.retry_of,
        "result": decode(row.result),
        "error": decode(row.error),
        "usage": {
            "prompt_tokens": row.prompt_tokens,
            "completion_tokens": row.completion_tokens,
            "cached_tokens": row.cached_tokens,
            "cost_usd": row.cost_usd,
            "agents": decode(row.usage_by_agent),
        },
        "progress": {"done": row.tasks_done, "total": row.tasks_total},
        "requests": pending,
        "spec": decode(row.spec),
    }
