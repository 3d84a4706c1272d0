"""Files of missions: what they were given and what they made. Names are data, never paths."""

import hashlib
import mimetypes
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from models import files, missions
from service import clock
from service.clock import rfc3339
from service.errors import Problem
from service.events.text import repair


def store_output(
    conn: Connection, mission_id: int, name: str, content: bytes, *, task: str | None
) -> dict[str, Any]:
    """Keep a file that a mission made. Returns what its OUTPUT event says of it."""
    described = {
        "name": repair(name),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "media_type": mimetypes.guess_type(name)[0] or "application/octet-stream",
    }
    workspace = select(missions.c.workspace_id).where(missions.c.id == mission_id)
    conn.execute(
        insert(files).values(
            workspace_id=workspace.scalar_subquery(),
            mission_id=mission_id,
            direction="output",
            task=task,
            content=content,
            created_ms=clock.now_ms(),
            **described,
        )
    )
    return described


def of_mission(conn: Connection, mission_id: int) -> list[dict[str, Any]]:
    """A mission's files, oldest first, without their content."""
    columns = [column for column in files.c if column.name != "content"]
    query = select(*columns).where(files.c.mission_id == mission_id).order_by(files.c.id)
    return [_view(row) for row in conn.execute(query)]


def one(conn: Connection, workspace_id: int, file_id: int) -> Row[Any]:
    """A file with its content. Raises Problem not_found."""
    row = conn.execute(
        select(files).where(files.c.id == file_id, files.c.workspace_id == workspace_id)
    ).one_or_none()
    if row is None:
        raise Problem("not_found", f"There is no file {file_id}.")
    return row


def _view(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "mission": row.mission_id,
        "direction": row.direction,
        "task": row.task,
        "name": row.name,
        "bytes": row.bytes,
        "sha256": row.sha256,
        "media_type": row.media_type,
        "created_at": rfc3339(row.created_ms),
    }
