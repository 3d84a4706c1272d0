"""Retention: forgets what is old, in small batches that hold nobody up."""

from collections.abc import Iterator

from sqlalchemy import Connection, Select, delete, func, select, update

from models import (
    events,
    files,
    missions,
    requests,
    task_outputs,
    tokens,
    webhooks,
    workspaces,
)
from service.db import Database
from service.missions.states import ENDED

BATCH = 1_000  # events, or missions, of one transaction: some milliseconds


def prune(db: Database, *, before_ms: int) -> Iterator[tuple[int, int]]:
    """Delete events older than a time, and missions that ended before it. Yields their numbers.

    A workspace's log loses its oldest part, up to the first event that is younger: a cursor in it is
    then `cursor_expired`. A mission that goes on keeps its row whatever it has lost of its log.
    """
    with db.glance() as conn:
        ids = list(conn.execute(select(workspaces.c.id).order_by(workspaces.c.id)).scalars())
    for workspace_id in ids:
        while deleted := _prune_events(db, workspace_id, before_ms):
            yield deleted, 0
        while deleted := _prune_missions(db, workspace_id, before_ms):
            yield 0, deleted


def _prune_events(db: Database, workspace_id: int, before_ms: int) -> int:
    """One batch. Readers are told first, in a transaction of its own: the workspace's row, which
    every append needs, is not held while rows are deleted."""
    with db.reading() as conn:
        keep_from = _keep_from(conn, workspace_id, before_ms)
    with db.transaction() as conn:
        conn.execute(
            update(workspaces)
            .where(workspaces.c.id == workspace_id, workspaces.c.oldest < keep_from)
            .values(oldest=keep_from)
        )
    with db.transaction() as conn:
        gone = delete(events).where(events.c.workspace_id == workspace_id, events.c.seq < keep_from)
        return int(conn.execute(gone).rowcount)


def _keep_from(conn: Connection, workspace_id: int, before_ms: int) -> int:
    """The seq behind the next batch of old events; what is left below `oldest` counts as old."""
    batch = conn.execute(
        select(events.c.seq, events.c.at_ms)
        .where(events.c.workspace_id == workspace_id)
        .order_by(events.c.seq)
        .limit(BATCH)
    ).all()
    young = next((row.seq for row in batch if row.at_ms >= before_ms), None)
    if young is not None:
        return int(young)
    return int(batch[-1].seq) + 1 if batch else 0


def _prune_missions(db: Database, workspace_id: int, before_ms: int) -> int:
    """Missions that ended, with all that belongs to them, once their last event is gone."""
    with db.transaction() as conn:
        ids = list(conn.execute(_over(workspace_id, before_ms)).scalars())
        conn.execute(update(missions).where(missions.c.retry_of.in_(ids)).values(retry_of=None))
        asked = select(requests.c.id).where(requests.c.mission_id.in_(ids))
        conn.execute(delete(tokens).where(tokens.c.request_id.in_(asked)))
        for table in (tokens, webhooks, files, requests, task_outputs):
            conn.execute(delete(table).where(table.c.mission_id.in_(ids)))
        conn.execute(delete(missions).where(missions.c.id.in_(ids)))
        if ids:
            _tell_of_change(conn, workspace_id)
    return len(ids)


def _over(workspace_id: int, before_ms: int) -> Select[int]:
    oldest = select(workspaces.c.oldest).where(workspaces.c.id == workspace_id).scalar_subquery()
    return (
        select(missions.c.id)
        .where(
            missions.c.workspace_id == workspace_id,
            missions.c.status.in_(ENDED),
            missions.c.ended_ms < before_ms,
            missions.c.rev < func.coalesce(oldest, 0),
        )
        .order_by(missions.c.id)
        .limit(BATCH // 10)
    )


def _tell_of_change(conn: Connection, workspace_id: int) -> None:
    """Have those who wait for events of a mission that is gone find out."""
    changed = workspaces.c.access_changes + 1
    conn.execute(
        update(workspaces).where(workspaces.c.id == workspace_id).values(access_changes=changed)
    )
