"""A page of the feed: read from the log in one view, and rendered to the bytes of an answer."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from service import clock
from service.db import Database
from service.errors import Problem
from service.events import log
from service.feed.cursor import FeedQuery, Filter
from service.missions import queries
from service.missions.states import Status

PAGE_MAX_BYTES = 1_000_000  # below 1 MiB with the envelope around it
# What one filtered read looks through at most: it holds up all other greenlets for some
# milliseconds. The next read goes on from there.
SCAN_ROWS = 5_000
_BOOL = {False: "false", True: "true"}
AT = re.compile(r'"at":"([^"]+)"')  # stands before all that a user could have written


@dataclass(frozen=True, slots=True)
class Page:
    """What the log had after a cursor, in one consistent view.

    events: JSON texts. next: the cursor behind them, which also passes what the filter left out.
    status, closed: of one mission's feed; closed when it has ended and `next` is past its end.
    """

    log: log.Head
    events: tuple[str, ...]
    next: int
    status: str | None = None
    closed: bool = False

    @property
    def more(self) -> bool:
        return self.next < self.log.head

    @property
    def newest_ms(self) -> int | None:
        """When the last of the events happened."""
        moment = AT.search(self.events[-1]) if self.events else None
        return clock.ms_of(moment[1]) if moment else None

    @property
    def complete(self) -> bool:
        """Whether there is a reason to answer now."""
        return bool(self.events) or self.closed


def first(db: Database, query: FeedQuery) -> Page:
    """The page that a poll begins with, as `read` gives it.

    Raises Problem cursor_ahead, cursor_expired, not_found.
    """
    with db.brief() as conn:
        return read_in(conn, query.filter, _start(conn, query))


def _start(conn: Connection, query: FeedQuery) -> int:
    """The cursor that a poll starts from, where the missions that it names are there."""
    wanted = query.filter
    if wanted.missions:
        queries.require(conn, wanted.workspace_id, wanted.missions)
    if query.newest is None:
        return query.after or 0
    current = log.head(conn, wanted.workspace_id)
    if query.newest == 0:
        return current.head
    after = log.newest_before(conn, wanted.workspace_id, query.newest, wanted.mission)
    return max(after, current.oldest - 1)


def read(db: Database, wanted: Filter, after: int) -> Page:
    """The next page after a cursor. May be empty and yet not at the head: then read on from `next`."""
    with db.brief() as conn:
        return read_in(conn, wanted, after)


def read_in(conn: Connection, wanted: Filter, after: int) -> Page:
    """As `read`, in a transaction that sees one moment."""
    status, last = _mission(
        conn, wanted
    )  # first: of a mission that is not there no cursor is wrong
    current = log.head(conn, wanted.workspace_id)
    check(after, current)
    upto = _scan_end(wanted, after, current.head)
    events, reached = _fill(conn, wanted, after, upto)
    closed = status is not None and Status(status).ended and reached >= last
    return Page(current, events, reached, status, closed)


def render(page: Page, reason: str, *, retry_s: float = 0) -> bytes:
    """The body of an answer. Events are joined as they are stored."""
    status = "" if page.status is None else f',"status":"{page.status}"'
    return (
        f'{{"feed":"{page.log.feed}","events":[{",".join(page.events)}],"next":{page.next},'
        f'"head":{page.log.head},"oldest":{page.log.oldest},"more":{_BOOL[page.more]},'
        f'"closed":{_BOOL[page.closed]},"reason":"{reason}","retry_s":{retry_s}{status}}}'
    ).encode()


def seq_of(event: str) -> int:
    """The number of an event in its JSON text, which begins with it: see `events.log.render`."""
    return int(event[len('{"seq":') : event.index(",")])


def check(after: int, current: log.Head) -> None:
    """Raises Problem cursor_ahead, cursor_expired."""
    where: dict[str, Any] = {"head": current.head, "oldest": current.oldest, "feed": current.feed}
    if after > current.head:
        raise Problem("cursor_ahead", **where)
    if after + 1 < current.oldest:
        raise Problem("cursor_expired", **where)


def _mission(conn: Connection, wanted: Filter) -> tuple[str | None, int]:
    if wanted.mission is None:
        return None, 0
    return queries.status_and_rev(conn, wanted.workspace_id, wanted.mission)


def _scan_end(wanted: Filter, after: int, head: int) -> int:
    """How far to read: all the way, but in steps where an index does not find the rows."""
    if wanted.mission_ids or not (wanted.kinds or wanted.without_kinds):
        return head
    return min(head, after + SCAN_ROWS)


def _fill(conn: Connection, wanted: Filter, after: int, upto: int) -> tuple[tuple[str, ...], int]:
    """Events up to the limit and the size of a page, at least one if there is one, and the cursor."""
    events: list[str] = []
    size, last = 0, after
    for seq, text in log.read(
        conn,
        wanted.workspace_id,
        after,
        upto,
        limit=wanted.limit,
        mission_ids=wanted.mission_ids,
        kinds=wanted.kinds,
        without_kinds=wanted.without_kinds,
    ):
        size += (len(text) if text.isascii() else len(text.encode())) + 1
        if events and size > PAGE_MAX_BYTES:
            return tuple(events), last
        events.append(text)
        last = seq
    return tuple(events), last if len(events) == wanted.limit else upto
