"""The event log: append in order, read after a cursor. Never waits (feed does), never decides (missions does)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, select

from models import events, workspaces
from service import clock
from service.db import look, rows, stream
from service.errors import LeaseLost
from service.events.batch import Fence, array, store
from service.events.kinds import NewEvent

COLUMNS = ", ".join(column.name for column in events.columns if column.name != "workspace_id")
STANDINGS = "SELECT id, feed, head, oldest, access_changes FROM workspaces"
READ = f"""
SELECT {COLUMNS} FROM events WHERE workspace_id = ? AND seq > ? AND seq <= ?
"""  # noqa: S608 (our own names only)
OLDEST_FIRST = " ORDER BY seq LIMIT ?"
# Both of many workspaces at once, in PostgreSQL; see the migration that makes it. One statement sees one
# moment: the heads are those of the rows.
NEWS = f"""
SELECT id, feed, head, oldest, access_changes, {COLUMNS}
FROM longline_news(?::bigint[], ?::bigint[], ?)
"""  # noqa: S608 (the same)

__all__ = ["Appended", "Fence", "Head", "append", "head", "read"]


@dataclass(frozen=True, slots=True)
class Appended:
    """The numbers that a batch got: first_seq … last_seq, without holes."""

    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class Head:
    """Where a workspace's log stands. Events oldest … head are stored and visible.

    access: counts what may have ended somebody's access: a token revoked, a mission deleted.
    """

    feed: str
    head: int
    oldest: int
    access: int = 0


class Stored(NamedTuple):
    """One event as it is passed on: whose it is, and all of it as JSON text."""

    seq: int
    mission: int
    kind: str
    text: str


class News(NamedTuple):
    """What one moment had of a log: where it stood, and the events behind a cursor, oldest first."""

    log: Head
    events: Iterable[Stored]


def append(
    conn: Connection, mission_id: int, batch: Sequence[NewEvent], *, fence: Fence | None
) -> Appended:
    """Number a mission's events and store them, in the order given. Not empty.

    Mission row first, workspace row last: all writers lock in this order, and the workspace's
    counter is held only while rows are inserted, so that seq is the order of commits. The mission's
    `rev` becomes the seq of the last STATUS event among them.

    fence: a worker's; None for those who write by right (the API, the reaper).
    Raises LeaseLost when the mission has ended or the fence does not hold.
    """
    last_seq = store(conn, mission_id, batch, fence)
    if last_seq is None:
        raise LeaseLost(mission_id)
    return Appended(last_seq - len(batch) + 1, last_seq)


def head(conn: Connection, workspace_id: int) -> Head:
    return standings(conn, [workspace_id])[workspace_id]


def standings(conn: Connection, workspace_ids: Iterable[int]) -> dict[int, Head]:
    """Where the log of each workspace stands, by one query."""
    ids = list(workspace_ids)
    query = f"{STANDINGS} WHERE id IN ({','.join('?' * len(ids))})"
    return {row[0]: Head(*row[1:]) for row in rows(conn, query, ids)} if ids else {}


def next_seq(conn: Connection, workspace_id: int) -> int:
    """The seq that this transaction's next append begins with, for an event that names itself.

    Locks the workspace's row, so only behind the mission's.
    """
    # NO KEY UPDATE, as an append locks it: whoever inserts a row that refers to the workspace holds
    # a share of its key, and would wait for us as we for him.
    newest = (
        select(workspaces.c.head)
        .where(workspaces.c.id == workspace_id)
        .with_for_update(key_share=True)
    )
    return int(conn.execute(newest).scalar_one()) + 1


def heads(conn: Connection, workspace_ids: Iterable[int]) -> dict[int, int]:
    """The newest seq of each workspace, by one query."""
    rows = conn.execute(
        select(workspaces.c.id, workspaces.c.head).where(workspaces.c.id.in_(list(workspace_ids)))
    )
    return {row.id: row.head for row in rows}


def read(
    conn: Connection,
    workspace_id: int,
    after: int,
    upto: int,
    *,
    limit: int = 500,
    mission_ids: Sequence[int] = (),
    kinds: Sequence[str] = (),
    without_kinds: Sequence[str] = (),
) -> Iterator[tuple[int, str]]:
    """Events with after < seq <= upto, oldest first, as (seq, JSON text); nothing when there are none.

    upto: a head that was read before, so that a cursor never passes a row this did not see.
    mission_ids, kinds: only these; empty means all. Rows are fetched as they are consumed,
    some at once.
    """
    query = READ
    values: list[int | str] = [workspace_id, after, upto]
    for column, negated, among in (
        ("mission_id", "", mission_ids),
        ("kind", "", kinds),
        ("kind", "NOT", without_kinds),
    ):
        if among:
            query += f" AND {column} {negated} IN ({','.join('?' * len(among))})"
            values += among
    for row in stream(conn, query + OLDEST_FIRST, [*values, limit]):
        yield row[0], render(row)


def following(
    conn: Connection, workspace_id: int, after: int, upto: int, *, limit: int
) -> Iterator[Stored]:
    """All events with after < seq <= upto, oldest first, for who sorts them out himself."""
    for row in rows(conn, READ + OLDEST_FIRST, (workspace_id, after, upto, limit)):
        yield _stored(row)


def news(conn: Connection, after: Mapping[int, int | None], *, limit: int) -> dict[int, News]:
    """Of each workspace, as of one moment; `limit` events of each at most.

    after: the cursors; None for who wants no events. Where a transaction sees more than one moment,
    this is one statement all the same. On SQLite events are read as they are consumed.
    """
    if conn.dialect.name == "postgresql":
        return _news_in_one_statement(conn, after, limit)
    return {
        workspace_id: News(now, _behind(conn, workspace_id, after[workspace_id], now.head, limit))
        for workspace_id, now in standings(conn, after).items()
    }


def _behind(
    conn: Connection, workspace_id: int, after: int | None, upto: int, limit: int
) -> Iterable[Stored]:
    if after is None or after >= upto:
        return ()
    return following(conn, workspace_id, after, upto, limit=limit)


def _news_in_one_statement(
    conn: Connection, after: Mapping[int, int | None], limit: int
) -> dict[int, News]:
    found: dict[int, tuple[Head, list[Any]]] = {}
    if not after:
        return {}
    for workspace_id, feed, newest, oldest, access, *event in look(
        conn, NEWS, (array(after), array(after.values()), limit)
    ):
        if workspace_id not in found:
            found[workspace_id] = Head(feed, newest, oldest, access), []
        if event[0] is not None:
            found[workspace_id][1].append(event)
    # They come in their order, only nothing says that they have to.
    return {key: News(now, map(_stored, sorted(events))) for key, (now, events) in found.items()}


def newest_before(conn: Connection, workspace_id: int, count: int, mission_id: int | None) -> int:
    """The cursor after which the `count` newest events lie, of one mission or of all."""
    if mission_id is None:
        return max(0, head(conn, workspace_id).head - count)
    older = (
        select(events.c.seq)
        .where(events.c.mission_id == mission_id)
        .order_by(events.c.seq.desc())
        .offset(count)
        .limit(1)
    )
    return int(conn.execute(select(func.coalesce(older.scalar_subquery(), 0))).scalar_one())


def _stored(row: Any) -> Stored:
    return Stored(row[0], row[1], row[4], render(row))


def render(row: Any) -> str:
    """One event as JSON text. Its data is spliced in as it was stored, not decoded and encoded again.

    row: of the columns of READ. What neighbours in the log mostly have in common is kept as text.
    """
    seq, mission_id, mseq, attempt, kind, name, at_ms, agent, task, call, data = row
    return (
        f'{{"seq":{seq},"mission":{mission_id},"mseq":{mseq},{_what(attempt, kind, name)},'
        f'"at":"{clock.rfc3339(at_ms)}",{_whose(agent, task, call)}"data":{data}}}'
    )


@lru_cache(maxsize=1024)
def _what(attempt: int, kind: str, name: str) -> str:
    """The members that say what happened. A name that holds a quote must not break its page."""
    return f'"attempt":{attempt},"kind":"{kind}","name":{orjson.dumps(name).decode()}'


@lru_cache(maxsize=1024)
def _whose(agent: str | None, task: str | None, call: str | None) -> str:
    """The members that not every event has."""
    return "".join(
        f'"{name}":{orjson.dumps(value).decode()},'
        for name, value in (("agent", agent), ("task", task), ("call", call))
        if value is not None
    )
