"""How a batch of events is stored: numbered by the two counters, mission first, workspace last.

The mission's `rev` follows its STATUS events here, and so is never written by anybody else.

Two ways to the same rows. On PostgreSQL it is one call, for each further one would be a round
trip during which everybody else of the workspace waits. Decides nothing: `log.append` does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection

from service.db import sqlite
from service.events.kinds import Kind, NewEvent
from service.events.text import encode_bounded, repair

# A mission's terminal STATUS event is its last: nothing is appended behind it.
ENDED = ("completed", "failed", "cancelled")

# Three statements inside, see the migration that makes it. Their plans are kept in the server: a statement
# of ours would be planned each time, because behind a pooler none can be prepared.
FUNCTION = """
SELECT longline_append(
  %(mission)s, %(attempt)s::int, %(owner)s::text, %(kind)s::text[], %(name)s::text[], %(at_ms)s::bigint[],
  %(agent)s::text[], %(task)s::text[], %(call)s::text[], %(data)s::text[], %(last_status)s::int
)
"""

MISSION = f"""
UPDATE missions SET mseq = mseq + ? WHERE id = ? AND status NOT IN {ENDED}
RETURNING mseq, workspace_id, attempt
"""  # noqa: S608 (the same)
FENCED = MISSION.replace("RETURNING", "AND attempt = ? AND lease_owner = ? RETURNING")
WORKSPACE = "UPDATE workspaces SET head = head + ? WHERE id = ? RETURNING head"
REVISION = "UPDATE missions SET rev = ? WHERE id = ?"
INSERT = """
INSERT INTO events
  (workspace_id, seq, mission_id, mseq, attempt, kind, name, at_ms, agent, task, call, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

COLUMNS = ("kind", "name", "at_ms", "agent", "task", "call", "data")
Row = tuple[str, str | None, int, str | None, str | None, str | None, str]


@dataclass(frozen=True, slots=True)
class Fence:
    """Who may write for a mission: the worker that holds it, in the attempt that it holds it for."""

    attempt: int
    owner: str


def store(
    conn: Connection, mission_id: int, batch: Sequence[NewEvent], fence: Fence | None
) -> int | None:
    """Number and store events. The seq of the last; None when the fence does not hold."""
    rows = [_row(event) for event in batch]
    places = [place for place, event in enumerate(batch, 1) if event.kind is Kind.STATUS]
    last_status = places[-1] if places else 0
    if conn.dialect.name == "postgresql":
        return _in_the_server(conn, mission_id, rows, fence, last_status)
    return _in_statements(conn, mission_id, rows, fence, last_status)


def _row(event: NewEvent) -> Row:
    """What an event's row holds beside its numbers, in the order of COLUMNS."""
    return (
        event.kind.value,
        _kept(event.name),
        event.at_ms,
        _kept(event.agent),
        _kept(event.task),
        _kept(event.call),
        encode_bounded(event.data),
    )


@lru_cache(maxsize=1024)
def _kept(name: str | None) -> str | None:
    """A name as it is stored. Neighbouring events mostly have the same."""
    return None if name is None else repair(name)


def _in_the_server(
    conn: Connection, mission_id: int, rows: list[Row], fence: Fence | None, last_status: int
) -> int | None:
    arrays = dict(zip(COLUMNS, map(array, zip(*rows, strict=True)), strict=True))
    who = {
        "mission": mission_id,
        "last_status": last_status,
        "attempt": fence and fence.attempt,
        "owner": fence and fence.owner,
    }
    head = conn.exec_driver_sql(FUNCTION, {**arrays, **who}).scalar_one()
    return None if head is None else int(head)


def array(values: Iterable[str | int | None]) -> str:
    """An array as PostgreSQL reads it. psycopg's own way there was most of what an append cost us."""
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _in_statements(
    conn: Connection, mission_id: int, rows: list[Row], fence: Fence | None, last_status: int
) -> int | None:
    """On SQLite, where a statement costs less than what SQLAlchemy does around it."""
    count = len(rows)
    statement, held = (MISSION, ()) if fence is None else (FENCED, (fence.attempt, fence.owner))
    with sqlite.driver(conn) as driver:
        mission = driver.execute(statement, (count, mission_id, *held)).fetchone()
        if mission is None:
            return None
        mseq, workspace_id, attempt = mission
        (head,) = driver.execute(WORKSPACE, (count, workspace_id)).fetchone()
        numbers = zip(
            range(head - count + 1, head + 1), range(mseq - count + 1, mseq + 1), rows, strict=True
        )
        driver.executemany(
            INSERT,
            [(workspace_id, seq, mission_id, own, attempt, *row) for seq, own, row in numbers],
        )
        if last_status:
            driver.execute(REVISION, (head - count + last_status, mission_id))
    return int(head)
