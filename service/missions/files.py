"""Files of missions: what they were given and what they made. Names are data, never paths."""

import hashlib
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from models import files, missions
from service import clock
from service.clock import rfc3339
from service.errors import Problem
from service.events.text import repair

UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a mission is given. media_type: None to guess it by the name."""

    name: str
    content: bytes
    media_type: str | None = None


def store_inputs(conn: Connection, mission_id: int, uploads: Iterable[Upload]) -> None:
    """Keep what a new mission was given."""
    for upload in uploads:
        described = _described(upload.name, upload.content, upload.media_type)
        _insert(conn, mission_id, "input", None, upload.content, described)


def copy_inputs(conn: Connection, from_mission: int, to_mission: int) -> None:
    """Give a mission what another one was given."""
    given = select(files).where(files.c.mission_id == from_mission, files.c.direction == "input")
    uploads = [
        Upload(row.name, row.content, row.media_type)
        for row in conn.execute(given.order_by(files.c.id))
    ]
    store_inputs(conn, to_mission, uploads)


def store_output(
    conn: Connection, mission_id: int, name: str, content: bytes, *, task: str | None
) -> dict[str, Any]:
    """Keep a file that a mission made, in place of an earlier one of the same name.

    Returns what its OUTPUT event says of it. Under the lock of the mission's row or in the one
    process that runs it, so that a name has one file.
    """
    described = _described(repair(name), content, None)
    same = (
        files.c.mission_id == mission_id,
        files.c.direction == "output",
        files.c.name == described["name"],
    )
    earlier = conn.execute(select(files.c.id).where(*same)).scalar_one_or_none()
    if earlier is None:
        earlier = _insert(conn, mission_id, "output", task, content, described)
    else:
        values = {**described, "task": task, "content": content, "created_ms": clock.now_ms()}
        conn.execute(update(files).where(files.c.id == earlier).values(values))
    return {"id": earlier, **described}


def _described(name: str, content: bytes, media_type: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "media_type": media_type or mimetypes.guess_type(name)[0] or UNKNOWN_TYPE,
    }


def _insert(
    conn: Connection,
    mission_id: int,
    direction: str,
    task: str | None,
    content: bytes,
    described: dict[str, Any],
) -> int:
    workspace = select(missions.c.workspace_id).where(missions.c.id == mission_id)
    values = {
        "workspace_id": workspace.scalar_subquery(),
        "mission_id": mission_id,
        "direction": direction,
        "task": task,
        "content": content,
        "created_ms": clock.now_ms(),
        **described,
    }
    row = conn.execute(insert(files).values(values).returning(files.c.id))
    return int(row.scalar_one())


def newest_of_mission(conn: Connection, mission_id: int) -> list[Row[Any]]:
    """A mission's files by name, without their content: what it made stands before what it got."""
    found: dict[str, Row[Any]] = {}
    for row in conn.execute(_without_content(mission_id).order_by(files.c.direction, files.c.id)):
        found[row.name] = row  # `input` sorts before `output`
    return list(found.values())


def read(conn: Connection, mission_id: int, name: str) -> bytes | None:
    """The content of a mission's file, None when there is none; one it made before one it got."""
    query = (
        select(files.c.content)
        .where(files.c.mission_id == mission_id, files.c.name == repair(name))
        .order_by(files.c.direction.desc(), files.c.id.desc())
        .limit(1)
    )
    content = conn.execute(query).scalar_one_or_none()
    return None if content is None else bytes(content)


def of_mission(conn: Connection, mission_id: int) -> list[dict[str, Any]]:
    """A mission's files, oldest first, without their content."""
    return [_view(row) for row in conn.execute(_without_content(mission_id).order_by(files.c.id))]


def _without_content(mission_id: int) -> Select[Any]:
    columns = [column for column in files.c if column.name != "content"]
    return select(*columns).where(files.c.mission_id == mission_id)


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
