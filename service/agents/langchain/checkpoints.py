"""Where graphs keep their checkpoints: beside the missions, so that any attempt goes on from them.

One SQLite file for each mission, or tables of the library's own in PostgreSQL. Plain data only:
nothing that is read back runs code.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from service.config import Settings
from service.missions import checkpoints

LOCK = 0x6C6F6E67  # of PostgreSQL: only one process makes the tables
LOCK_LOOK_S = 0.05


class _AlsoAsync(BaseCheckpointSaver[Any]):
    """A synchronous saver for async graphs as well: each call in a thread."""

    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(self, config: Any, **filters: Any) -> AsyncIterator[CheckpointTuple]:
        for item in await asyncio.to_thread(lambda: list(self.list(config, **filters))):
            yield item

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: Any, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)


class FileSaver(_AlsoAsync, SqliteSaver):
    """In a file."""


class TableSaver(_AlsoAsync, PostgresSaver):
    """In PostgreSQL."""


class Checkpoints:
    """A mission's checkpoints. saver: what a graph is compiled with."""

    def __init__(self, saver: BaseCheckpointSaver[Any], prefix: str) -> None:
        self.saver = saver
        self._prefix = prefix

    def config(self, task: str) -> dict[str, Any]:
        """The configuration of a graph that does this task."""
        return {"configurable": {"thread_id": f"{self._prefix}:{task}"}}

    def answered(self, config: Any) -> dict[str, int]:
        """How many questions each waiting step has had answered, by langgraph's id of the step."""
        found = self.saver.get_tuple(config)
        writes = (found.pending_writes if found else None) or []
        return {step: len(value) for step, channel, value in writes if channel == "__resume__"}

    def forget(self, task: str) -> None:
        """A finished task's are of no use any more."""
        self.saver.delete_thread(f"{self._prefix}:{task}")


@contextmanager
def opened(settings: Settings, mission_id: int, restarts: int) -> Iterator[Checkpoints]:
    """restarts: a mission that began anew does not go on from what it did before.

    When the mission has ended, `missions.checkpoints` removes what is left of it.
    """
    prefix = f"{mission_id}:{restarts}"
    url = settings.resolved_database_url
    if url.startswith("sqlite"):
        folder = checkpoints.folder(settings.data)
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(folder / f"{mission_id}.db", check_same_thread=False)
        with closing(connection):
            yield Checkpoints(FileSaver(connection), prefix)
        return
    with TableSaver.from_conn_string(_plain(url)) as saver:
        _make_tables(saver)
        yield Checkpoints(saver, prefix)


def _plain(url: str) -> str:
    """A URL as psycopg takes it, without SQLAlchemy's name of a driver."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def _make_tables(saver: PostgresSaver) -> None:
    # Tried and not awaited: a session that waits for a lock holds up CREATE INDEX CONCURRENTLY.
    connection: Any = saver.conn
    query = f"SELECT pg_try_advisory_lock({LOCK}) AS got"
    while not connection.execute(query).fetchone()["got"]:
        time.sleep(LOCK_LOOK_S)
    try:
        saver.setup()
    finally:
        connection.execute(f"SELECT pg_advisory_unlock({LOCK})")
