"""The table of workers: who runs, who was seen when, and who is gone without a word."""

from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select, update

from models import workers
from service import clock
from service.durations import Counts
from service.worker import identity
from service.worker.identity import Identity


def sign_on(conn: Connection, worker: Identity, *, concurrency: int) -> None:
    """Enter a worker; again changes nothing, for the database may die behind the commit."""
    now = clock.now_ms()
    conn.execute(delete(workers).where(workers.c.id == worker.id))
    conn.execute(
        insert(workers).values(
            id=worker.id,
            host=worker.host,
            pid=worker.pid,
            pid_started=worker.pid_started,
            concurrency=concurrency,
            started_ms=now,
            seen_ms=now,
        )
    )


def note_alive(conn: Connection, worker_id: str, *, appends: Counts) -> None:
    """appends: how long its children's appends have taken, as service.durations counts."""
    _set(conn, worker_id, seen_ms=clock.now_ms(), appends=orjson.dumps(appends).decode())


def sign_off(conn: Connection, worker_id: str) -> None:
    _set(conn, worker_id, stopped_ms=clock.now_ms())


def gone_from(conn: Connection, host: str) -> list[str]:
    """Ids of workers of this machine whose process is not there any more."""
    rows = conn.execute(
        select(workers.c.id, workers.c.pid, workers.c.pid_started).where(
            workers.c.host == host, workers.c.stopped_ms.is_(None)
        )
    )
    return [row.id for row in rows if identity.started(row.pid) != row.pid_started]


def _set(conn: Connection, worker_id: str, **values: Any) -> None:
    conn.execute(update(workers).where(workers.c.id == worker_id).values(**values))
