"""What LangChain's runs keep to go on from: forgotten when their mission has ended. `agents` writes it.

It holds whole conversations, and nobody needs it behind a mission's end, whatever that was.
"""

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from models import missions
from service.db import Database
from service.missions.states import ENDED

# langgraph's own, made by it with the first run; thread_id is `mission:restarts:task`.
TABLES = ("checkpoint_writes", "checkpoint_blobs", "checkpoints")
MISSION = "split_part(thread_id, ':', 1)"
# Other programs may keep theirs in the same tables, under names of their own.
OURS = "thread_id ~ '^[0-9]{1,15}:[0-9]+:'"


def folder(data: Path) -> Path:
    """Where they are with SQLite: a file for each mission."""
    return data / "checkpoints"


def sweep(db: Database, data: Path) -> None:
    """Remove those of missions that have ended."""
    for mission_id in _without_use(db, _in_files(data)):
        remove_file(data, mission_id)
    with db.reading() as conn:
        kept = _in_tables(conn)
    for mission_id in _without_use(db, kept):
        with db.transaction() as conn:
            for table in TABLES:
                gone = text(f"DELETE FROM {table} WHERE {OURS} AND {MISSION} = :mission")  # noqa: S608 - ours
                conn.execute(gone, {"mission": str(mission_id)})


def remove_file(data: Path, mission_id: int) -> None:
    for file in folder(data).glob(f"{mission_id}.db*"):
        file.unlink(missing_ok=True)


def _in_files(data: Path) -> list[int]:
    return [int(file.stem) for file in folder(data).glob("*.db") if file.stem.isdigit()]


def _in_tables(conn: Connection) -> list[int]:
    if conn.dialect.name == "sqlite" or not inspect(conn).has_table(TABLES[-1]):
        return []
    found = conn.execute(text(f"SELECT DISTINCT {MISSION} FROM checkpoints WHERE {OURS}"))  # noqa: S608 - ours
    return [int(mission_id) for (mission_id,) in found]


def _without_use(db: Database, mission_ids: Collection[int]) -> list[int]:
    if not mission_ids:
        return []
    with db.reading() as conn:
        rows = conn.execute(
            select(missions.c.id).where(
                missions.c.id.in_(mission_ids), missions.c.status.not_in(ENDED)
            )
        )
        going_on = set(rows.scalars())
    return [mission_id for mission_id in mission_ids if mission_id not in going_on]
