"""Which missions have been traced: a cursor per workspace, moved on when the collector has taken one."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from models import workspaces
from service.db import UNAVAILABLE, Database
from service.events import log
from service.events.kinds import Kind
from service.events.text import decode
from service.tracing.spans import ENDS, KINDS, Span, spans_of

LOOK_S = 1.0
RETRY_S = 10.0  # after the collector, or the database, did not answer
SCAN_ROWS = 5_000  # what one look goes through at most
PAGE = 1_000

Send = Callable[[str, int, Sequence[Span]], bool]

logger = logging.getLogger(__name__)


class Follower:
    """Sends each mission that ends, from the first look on. Several may run: a mission then comes twice."""

    def __init__(self, db: Database, send: Send) -> None:
        self._db = db
        self._send = send

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                pause_s = LOOK_S if self.turn() else RETRY_S
            except UNAVAILABLE:
                pause_s = RETRY_S
            stop.wait(pause_s)

    def turn(self) -> bool:
        """One look at all workspaces. False when the collector did not take something."""
        with self._db.reading() as conn:
            rows = conn.execute(select(workspaces)).all()
        return all(self._go_on(row) for row in rows if row.traced is None or row.traced < row.head)

    def _go_on(self, workspace: Row[Any]) -> bool:
        if workspace.traced is None:  # what ended before tracing began is history
            self._reach(workspace.id, workspace.head)
            return True
        after = max(workspace.traced, workspace.oldest - 1)
        upto = min(workspace.head, after + SCAN_ROWS)
        with self._db.reading() as conn:
            ended = list(_ended(conn, workspace.id, after, upto))
        for seq, mission_id in ended:
            with self._db.reading() as conn:
                spans = spans_of(_events(conn, workspace.id, mission_id, seq))
            if not self._send(workspace.feed, mission_id, spans):
                logger.warning("the collector did not take a trace; trying again in %s s", RETRY_S)
                return False
            self._reach(workspace.id, seq)
        self._reach(workspace.id, upto)
        return True

    def _reach(self, workspace_id: int, seq: int) -> None:
        with self._db.transaction() as conn:
            this = workspaces.c.id == workspace_id
            conn.execute(update(workspaces).where(this).values(traced=seq))


def _ended(conn: Connection, workspace_id: int, after: int, upto: int) -> Iterator[tuple[int, int]]:
    """The last event and the id of each mission that ended there."""
    for seq, text in log.read(
        conn, workspace_id, after, upto, limit=SCAN_ROWS, kinds=[Kind.STATUS]
    ):
        event = decode(text)
        if event["name"] in ENDS:
            yield seq, event["mission"]


def _events(
    conn: Connection, workspace_id: int, mission_id: int, upto: int
) -> Iterator[dict[str, Any]]:
    after, full = 0, True
    while full:
        page = list(
            log.read(
                conn, workspace_id, after, upto, limit=PAGE, mission_ids=[mission_id], kinds=KINDS
            )
        )
        yield from (decode(text) for _, text in page)
        full = len(page) == PAGE
        after = page[-1][0] if page else after
