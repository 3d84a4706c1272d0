"""One poll, from cursor to the bytes of its answer: read, and hold while there is nothing."""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import gevent
import orjson

from service.db import Database
from service.feed import page
from service.feed.cursor import FeedQuery, Filter
from service.feed.presence import watched
from service.feed.waiters import Place, Waiters
from service.feed.watcher import Watcher
from service.feed.witness import Nobody, Witness

# What part of the time asked for is held, drawn anew for each: polls that began together (after a
# restart, say) end spread out. The rest is for the last look, so that none ends later than asked.
HOLD_FROM, HOLD_TO = 0.9, 0.98
BUSY_RETRY_S = 1.0

Seen = TypeVar("Seen")


class Feed:
    """The feed of one web process. A held poll has no connection, transaction or thread."""

    def __init__(self, db: Database, *, max_held: int, witness: Witness | None = None) -> None:
        self._db = db
        self._max_held = max_held
        self._waiters = Waiters()
        self._watcher = Watcher(db, self._waiters, witness or Nobody())
        self._draining = False

    def start(self) -> None:
        self._watcher.start()

    def stop(self) -> None:
        self._watcher.stop()

    @property
    def alive(self) -> bool:
        return self._watcher.alive

    @property
    def held(self) -> int:
        return self._waiters.count

    def drain(self) -> None:
        """Answer every held poll now, and hold no more: this process is going down."""
        self._draining = True
        for workspace_id in self._waiters.workspaces():
            for group in self._waiters.groups(workspace_id):
                for place in group.places:
                    place.result.set(None)

    def poll(self, query: FeedQuery, sock: Any = None) -> bytes:
        """The body of the answer: at once, or when there is one, or when `wait` is over.

        sock: the client's socket, to see it leave. Raises Problem cursor_ahead, cursor_expired,
        not_found.
        """
        deadline = time.monotonic() + query.wait_s * random.uniform(HOLD_FROM, HOLD_TO)  # noqa: S311
        after = page.start(self._db, query)
        while True:
            found = self._read(query.filter, after)
            reason = self._reason_to_answer(found, query.wait_s, deadline)
            if reason is not None:
                retry_s = BUSY_RETRY_S * random.uniform(1, 3) if reason == "busy" else 0  # noqa: S311
                return page.render(found, reason, retry_s=round(retry_s, 3))
            place = self._waiters.join(query.filter, found.next, found.next)
            try:
                body = self._hold(place, deadline - time.monotonic(), sock)
            finally:
                after = place.group.after
                self._waiters.leave(place)
            if body is not None:
                return body

    def wait_for(
        self,
        look: Callable[[], tuple[Seen, int]],
        done: Callable[[Seen], bool],
        *,
        changes: Filter,
        wait_s: float,
        sock: Any = None,
    ) -> Seen:
        """What `look` sees once it is `done`, or when the time is over.

        look: also gives the cursor of what it saw. changes: the events after which it looks again.
        """
        deadline = time.monotonic() + wait_s
        seen, as_of = look()
        after = as_of if wait_s else None
        while not done(seen) and after is not None:
            left = max(0.0, deadline - time.monotonic())
            after = self._behind_next(FeedQuery(changes, after, None, left), sock)
            seen, _ = look()
        return seen

    def _behind_next(self, query: FeedQuery, sock: Any) -> int | None:
        """The cursor behind the next events; None when the poll ended without one."""
        body = self.poll(query, sock)
        answer = orjson.loads(body) if body else {"events": []}
        return int(answer["next"]) if answer["events"] else None

    def _read(self, wanted: Filter, after: int) -> page.Page:
        """The next page that has something, or stands at the head."""
        found = page.read(self._db, wanted, after)
        while not found.complete and found.more:
            gevent.sleep(0)  # others are served between two steps of a long scan
            found = page.read(self._db, wanted, found.next)
        return found

    def _reason_to_answer(self, found: page.Page, wait_s: float, deadline: float) -> str | None:
        if found.events:
            return "events"
        if found.closed:
            return "closed"
        if wait_s == 0:
            return "now"
        if self._draining:
            return "drain"
        if time.monotonic() >= deadline:
            return "timeout"
        if self._waiters.count >= self._max_held:
            return "busy"
        return None

    def _hold(self, place: Place, seconds: float, sock: Any) -> bytes | None:
        """Wait in a place. None: look again (time is over, a drain, the client has gone)."""
        self._watcher.look_for()
        with watched(sock, lambda: place.result.set(b"")):
            place.result.wait(timeout=max(0.0, seconds))
            return place.result.value if place.result.ready() else None
