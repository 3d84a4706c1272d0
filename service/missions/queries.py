"""Missions as clients see them: one, or the list. Reads only."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from models import missions, requests
from service.clock import rfc3339, rfc3339_or_none
from service.errors import Problem
from service.events import log
from service.events.text import decode


def one(conn: Connection, workspace_id: int, mission_id: int) -> dict[str, Any]:
    """A mission with `as_of`, the cursor of this view. Raises Problem not_found."""
    as_of = log.head(conn, workspace_id).head
    row = conn.execute(
        select(missions).where(missions.c.id == mission_id, missions.c.workspace_id == workspace_id)
    ).one_or_none()
    if row is None:
        raise Problem("not_found", f"There is no mission {mission_id}.")
    pending = _pending(conn, [mission_id])
    return {**_view(row, pending.get(mission_id, [])), "as_of": as_of}


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
    rows = conn.execute(query.order_by(missions.c.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    rows = rows[:limit]
    pending = _pending(conn, [row.id for row in rows])
    return [_view(row, pending.get(row.id, [])) for row in rows], as_of, more


def require(conn: Connection, workspace_id: int, mission_ids: Sequence[int]) -> None:
    """Raises Problem not_found when one of them is unknown or another workspace's."""
    known = set(
        conn.execute(
            select(missions.c.id).where(
                missions.c.id.in_(mission_ids), missions.c.workspace_id == workspace_id
            )
        ).scalars()
    )
    for mission_id in mission_ids:
        if mission_id not in known:
            raise Problem("not_found", f"There is no mission {mission_id}.")


def existing(conn: Connection, mission_ids: Collection[int]) -> set[int]:
    """Those of the ids that are missions."""
    found = select(missions.c.id).where(missions.c.id.in_(mission_ids))
    return set(conn.execute(found).scalars()) if mission_ids else set()


def status_and_rev(conn: Connection, workspace_id: int, mission_id: int) -> tuple[str, int]:
    """A mission's status and the seq of its last STATUS event. Raises Problem not_found."""
    row = conn.execute(
        select(missions.c.status, missions.c.rev).where(
            missions.c.id == mission_id, missions.c.workspace_id == workspace_id
        )
    ).one_or_none()
    if row is None:
        raise Problem("not_found", f"There is no mission {mission_id}.")
    return row.status, row.rev


def _pending(conn: Connection, mission_ids: Sequence[int]) -> dict[int, list[int]]:
    rows = conn.execute(
        select(requests.c.mission_id, requests.c.id)
        .where(requests.c.mission_id.in_(mission_ids), requests.c.status == "pending")
        .order_by(requests.c.id)
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.mission_id, []).append(row.id)
    return found


def _view(row: Row[Any], pending: list[int]) -> dict[str, Any]:
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
