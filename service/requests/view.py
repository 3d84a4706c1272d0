"""A request as clients see it, and the reading of one or of the inbox."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from models import requests
from service.clock import rfc3339, rfc3339_or_none
from service.errors import Problem
from service.events import log
from service.events.text import decode


def view(row: Row[Any]) -> dict[str, Any]:
    """A request's row as the JSON object of the API."""
    return {
        "id": row.id,
        "mission": row.mission_id,
        "seq": row.seq,
        "type": row.type,
        "prompt": row.prompt,
        "context": row.context,
        "options": decode(row.options),
        "default": decode(row.default),
        "schema": decode(row.schema),
        "agent": row.agent,
        "task": row.task,
        "status": row.status,
        "asked_at": rfc3339(row.asked_ms),
        "expires_at": rfc3339(row.expires_ms),
        "answer": decode(row.answer),
        "answered_by": row.answered_by,
        "answered_at": rfc3339_or_none(row.answered_ms),
        "read_at": rfc3339_or_none(row.read_ms),
    }


def one(conn: Connection, workspace_id: int, request_id: int) -> Row[Any]:
    """A request's row. Raises Problem not_found."""
    row = conn.execute(
        select(requests).where(requests.c.id == request_id, requests.c.workspace_id == workspace_id)
    ).one_or_none()
    if row is None:
        raise Problem("not_found", f"There is no request {request_id}.")
    return row


def inbox(
    conn: Connection,
    workspace_id: int,
    *,
    limit: int,
    statuses: Sequence[str] = (),
    mission_ids: Sequence[int] = (),
) -> tuple[list[dict[str, Any]], int]:
    """Requests, newest first, and the cursor of the snapshot, which is read first."""
    as_of = log.head(conn, workspace_id).head
    query = select(requests).where(requests.c.workspace_id == workspace_id)
    if statuses:
        query = query.where(requests.c.status.in_(statuses))
    if mission_ids:
        query = query.where(requests.c.mission_id.in_(mission_ids))
    rows = conn.execute(query.order_by(requests.c.id.desc()).limit(limit))
    return [view(row) for row in rows], as_of
