"""One poll, from cursor to its answer: read, and wait while there is nothing. The same for every edge.

An edge brings a `Place`: `poll` one whose greenlet waits, `edge` a connection without any.
"""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import gevent
from gevent.event import AsyncResult

from service.db import Database
from service.events.log import Head
from service.feed import page
from service.feed.answer import Answer
from service.feed.cursor import FeedQuery, Filter
from service.feed.deadlines import Deadlines
from service.feed.page import Page
from service.feed.presence import watched
from service.feed.waiters import Admission, Place, Waiters
from service.feed.watcher import Watcher
from service.feed.witness import Nobody, Witness

# What part of the time asked for is held, drawn anew for each: polls that began together (after a
# restart, say) end spread out. The rest is for the way to the client: none ends later than asked.
HOLD_FROM, HOLD_TO = 0.92, 0.98
BUSY_RETRY_S = 1.0

Seen = TypeVar("Seen")


class Feed:
    """The feed of one web process. A held poll has no connection, transaction or thread."""

    def __init__(
        self,
        db: Database,
        *,
        max_held: int,
        max_held_per_token: int,
        witness: Witness | None = None,
    ) -> None:
        self._db = db
        self._max_held = max_held
        self._max_held_per_token = max_held_per_token
        self._waiters = Waiters()
        self.witness = witness or Nobody()
        self._watcher = Watcher(db, self._waiters, self.witness)
        self.draining = False

    def start(self) -> None:
        self._watcher.start()

    def stop(self) -> None:
        self._watcher.stop()
        self._waiters.deadlines.close()

    @property
    def alive(self) -> bool:
        return self._watcher.alive

    @property
    def held(self) -> int:
        return self._waiters.count

    @property
    def deadlines(self) -> Deadlines:
        return self._waiters.deadlines

    def drain(self) -> None:
        """Answer every held poll now, and hold no more: this process is going down."""
        self.draining = True
        for place in self._waiters.everybody():
            self._waiters.answer(place, self._quiet(place, "drain"))

    def begin(self, query: FeedQuery) -> Page:
        """What a poll finds when it comes. Raises Problem cursor_ahead, cursor_expired, not_found."""
        return page.first(self._db, query)

    def ask(
        self, place: Place, wait_s: float, deadline: float, found: Page | None = None
    ) -> Answer | None:
        """The answer; or None, and the place is `answered` later.

        deadline: as `hold_until` gave it. found: what `begin` gave. Raises Problem as `begin`.
        """
        found = self._read(place.filter, found or page.read(self._db, place.filter, place.after))
        reason = self._reason_to_answer(found, place, wait_s, deadline)
        if reason is not None:
            retry_s = BUSY_RETRY_S * random.uniform(1, 3) if reason == "busy" else 0  # noqa: S311
            return Answer(found, reason, retry_s=round(retry_s, 3))
        place.after, place.status = found.next, found.status
        self.enter(place, deadline)
        return None

    def enter(self, place: Place, deadline: float, admission: Admission | None = None) -> None:
        """Have a place wait that has nothing to get up to its cursor, or will be told what it missed.

        admission: of one of whom nothing else is known. Where it has missed something it asks anew.
        """
        if not self._waiters.enter(place, deadline, admission):
            return
        if admission is None:
            self._watcher.look_for()
        else:
            self._watcher.look_for_strangers()

    def leave(self, place: Place) -> None:
        """Wait no longer, and do not come back."""
        self._waiters.leave(place)
        self._waiters.deadlines.drop(place)

    def has_room_for(self, holder: str | None) -> bool:
        return (
            not self.draining
            and self._waiters.count < self._max_held
            and self._waiters.held_by(holder) < self._max_held_per_token
        )

    def has_news(self, wanted: Filter, after: int) -> bool:
        """Whether memory has events of these missions behind a cursor: who asks for them need not wait."""
        room = self._waiters.rooms.get(wanted.workspace_id)
        if room is None or not room.tail.reaches(after):
            return False
        if not wanted.mission_ids:
            return after < room.tail.head
        return not room.tail.has_nothing_of(wanted.mission_ids, after)

    def end(self, place: Place) -> None:
        """Its time is over. Where nobody can say that nothing came, it finds out for itself."""
        known = self._watcher.well and place.stands
        self._waiters.answer(place, self._quiet(place, "timeout") if known else None)

    def poll(
        self,
        query: FeedQuery,
        *,
        holder: str | None = None,
        sock: Any = None,
        allow: Callable[[], object] = lambda: None,
    ) -> Answer:
        """The answer: at once, or when there is one, or when `wait` is over. Holds this greenlet.

        holder: who is counted for it. sock: the client's socket, to see it leave. allow: called
        before the poll goes on after an interruption; raises when the client may not any more.
        Raises Problem cursor_ahead, cursor_expired, not_found.
        """
        deadline = hold_until(query.wait_s)
        found: Page | None = self.begin(query)
        seat = Seat(self, query.filter, holder)
        while True:
            answer = self.ask(seat, query.wait_s, deadline, found) or seat.sit(sock)
            found = None
            if answer is not None:
                return answer
            allow()

    def wait_for(
        self,
        look: Callable[[], tuple[Seen, int]],
        done: Callable[[Seen], bool],
        *,
        changes: Filter,
        wait_s: float,
        holder: str | None = None,
        sock: Any = None,
    ) -> Seen:
        """What `look` sees once it is `done`, or when the time is over.

        look: also gives the cursor of what it saw. changes: the events after which it looks again.
        holder, sock: as `poll` has them. Who may hold no more gets what is seen now.
        """
        deadline = time.monotonic() + wait_s
        seen, as_of = look()
        after = as_of if wait_s else None
        while not done(seen) and after is not None:
            left = max(0.0, deadline - time.monotonic())
            query = FeedQuery(changes, after, None, left)
            found = self.poll(query, holder=holder, sock=sock).page
            after = found.next if found.events else None
            seen, _ = look()
        return seen

    def _read(self, wanted: Filter, found: Page) -> Page:
        """The next page that has something, or stands at the head: this one, or one further on."""
        while not found.complete and found.more:
            gevent.sleep(0)  # others are served between two steps of a long scan
            found = page.read(self._db, wanted, found.next)
        return found

    def _reason_to_answer(
        self, found: Page, place: Place, wait_s: float, deadline: float
    ) -> str | None:
        if found.events:
            return "events"
        if found.closed:
            return "closed"
        if wait_s == 0:
            return "now"
        if self.draining:
            return "drain"
        if time.monotonic() >= deadline:
            return "timeout"
        return None if self.has_room_for(place.holder) else "busy"

    def _quiet(self, place: Place, reason: str) -> Answer | None:
        """An answer without events, made once for the group. None: there is no saying where it stands."""
        room = self._waiters.rooms[place.filter.workspace_id]
        if room.log is None or place in room.strangers:
            return None
        group = place.group
        if group is None or not place.stands:
            return Answer(Page(room.log, (), place.after, place.status), reason)
        made = group.quiet
        if made is None or (made.reason, made.page.log) != (reason, room.log):
            found = Page(room.log, (), room.log.head, group.status)
            made = group.quiet = Answer(found, reason)
        return made


class Seat(Place):
    """A place whose greenlet waits in it."""

    __slots__ = ("_feed", "_result")

    def __init__(self, feed: Feed, wanted: Filter, holder: str | None) -> None:
        super().__init__(wanted, holder)
        self._feed = feed
        self._result: AsyncResult[Answer | None] = AsyncResult()

    def sit(self, sock: Any) -> Answer | None:
        """What comes; None when the poll is to go on, from `after`."""
        try:
            with watched(sock, self._client_has_gone):
                found: Answer | None = self._result.get()
                return found
        finally:
            self._feed.leave(self)
            self._result = AsyncResult()

    def answered(self, answer: Answer | None) -> None:
        self._result.set(answer)

    def time_is_over(self) -> None:
        self._feed.end(self)

    def _client_has_gone(self) -> None:
        """Nobody gets this."""
        self._result.set(Answer(Page(Head("", 0, 0), (), self.after), "timeout"))


def hold_until(wait_s: float, now: float | None = None) -> float:
    """When a poll that comes now is answered at the latest, in monotonic time."""
    begin = time.monotonic() if now is None else now
    return begin + wait_s * (HOLD_FROM + (HOLD_TO - HOLD_FROM) * random.random())  # noqa: S311
