"""One poll, from cursor to the bytes of its answer: read, and hold while there is nothing."""

import random
import time
from typing import Any

import gevent

from service.db import Database
from service.feed import page
from service.feed.cursor import FeedQuery, Filter
from service.feed.presence import watched
from service.feed.waiters import Place, Waiters
from service.feed.watcher import Watcher

# Holds that began together (after a restart, say) end spread out; and never later than asked.
SHORTEST_HOLD = 0.9
BUSY_RETRY_S = 1.0


class Feed:
    """The feed of one web process. A held poll has no connection, transaction or thread."""

    def __init__(self, db: Database, *, max_held: int) -> None:
        self._db = db
        self._max_held = max_held
        self._waiters = Waiters()
        self._watcher = Watcher(db, self._waiters)
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
        after = page.start(self._db, query)
        deadline = time.monotonic() + query.wait_s * random.uniform(SHORTEST_HOLD, 1)  # noqa: S311
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

    def wait_for_change(self, wanted: Filter, after: int, wait_s: float, sock: Any = None) -> None:
        """Hold until there is an event behind `after` that passes the filter, or the time is over."""
        self.poll(FeedQuery(wanted, after, None, wait_s), sock)

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
