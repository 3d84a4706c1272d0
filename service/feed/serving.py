"""One look at a workspace's log: who in its room gets what. Reads; gives nothing to anybody itself."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from service.db import Sight
from service.errors import Problem
from service.events import log
from service.events.kinds import Kind
from service.events.log import Head, News, Stored
from service.feed import page
from service.feed.answer import Answer
from service.feed.cursor import Filter
from service.feed.page import PAGE_MAX_BYTES, Page
from service.feed.tail import cut
from service.feed.waiters import Admission, Group, Place, Room
from service.missions import queries
from service.missions.states import Status
from service.security import tokens

ROWS_AT_ONCE = 1_000  # as many as the largest page has
MET_AT_ONCE = 500  # strangers: then everybody else is served before the next ones


@dataclass(slots=True)
class Delivery:
    """Places that have left their room, and what they get. None: they are to ask anew."""

    places: Collection[Place]
    answer: Answer | None = None


@dataclass(slots=True)
class Look:
    """A look at one room. What it found is in `deliveries`.

    news: what was there behind the room's head at one moment. What else is read, is read in `sight.view()`, which
    is that moment or a later one: its pages may reach further, and whoever stays begins at the room's head again.
    more: there is more than one look takes.
    """

    sight: Sight
    room: Room
    news: News
    deliveries: list[Delivery] = field(default_factory=list)
    more: bool = False

    def take(self) -> None:
        """Bring the room up to the head, as far as one look goes."""
        before, now = self.room.log, self.news.log
        if before is None or before.feed != now.feed or before.head > now.head:
            self._begin()
        else:
            self._follow(before.head)
        self._check_access()
        self._settle(list(self.room.arrivals))
        self._meet()

    def _begin(self) -> None:
        """Of a log that was another one a moment ago, nobody's cursor is worth anything."""
        for group in self.room.groups():
            self.deliveries.append(Delivery(group.let_go()))
        self.room.begin(self.news.log)

    def _follow(self, before: int) -> None:
        """Read what is new, once for all, and answer the groups that it is for."""
        rows, upto = self._read()
        self.room.tail.extend(rows, upto)
        now = self.news.log
        self.room.log = Head(now.feed, upto, now.oldest, now.access)
        self.more = upto < now.head
        # All leave before anything else is read: who joins a group from here on has seen these rows.
        left = [(group, group.let_go()) for group in self.room.concerned(rows)]
        of_mission: dict[int, list[Stored]] = {}
        for row in rows:
            of_mission.setdefault(row.mission, []).append(row)
        for group, places in left:
            delivery = Delivery(places)
            self.deliveries.append(delivery)
            mission = group.filter.mission
            own = rows if mission is None else of_mission.get(mission, [])
            self._answer(delivery, group, before, own)

    def _read(self) -> tuple[list[Stored], int]:
        """The next events, and up to where these are all."""
        rows: list[Stored] = []
        size = 0
        for row in self.news.events:
            rows.append(row)
            size += len(row.text)
            if size > PAGE_MAX_BYTES:
                return rows, row.seq
        return rows, rows[-1].seq if len(rows) == ROWS_AT_ONCE else self.news.log.head

    def _answer(self, delivery: Delivery, group: Group, after: int, rows: Sequence[Stored]) -> None:
        try:
            found = self._page(group.filter, after, rows, group.status)
        except Problem:
            return  # each finds out for himself, and answers with the problem
        if found.complete:
            delivery.answer = Answer(found, "events" if found.events else "closed")
            return
        self.deliveries.remove(delivery)
        for place in delivery.places:
            place.after, place.status = found.next, found.status
            self._stay(place)

    def _page(self, wanted: Filter, after: int, rows: Iterable[Stored], status: str | None) -> Page:
        """What a filter gets of these events, which are all there are behind `after`.

        The status of the one mission that it follows has not changed while no event says so.
        """
        if wanted.mission is not None and any(_tells_status(wanted, row) for row in rows):
            return page.read_in(self.sight.view(), wanted, after)
        page.check(after, self._log)
        return cut(rows, wanted, self._log, status=status)

    def _check_access(self) -> None:
        """Send those away to ask anew whose token was revoked, or whose mission was deleted."""
        changed = self.room.access != self._log.access
        self.room.access = self._log.access
        concerned = self.room.places() if changed else list(self.room.arrivals)
        unchecked = [place for place in concerned if place.checked != self._log.access]
        if not unchecked:
            return
        valid = tokens.still_valid(self.sight.view(), {place.holder for place in unchecked})
        named = {mission for place in unchecked for mission in place.filter.mission_ids}
        there = queries.existing(self.sight.view(), named)
        for place in unchecked:
            if place.holder in valid and there.issuperset(place.filter.mission_ids):
                place.checked = self._log.access
            else:
                self._send(place, None)

    def _settle(self, places: Iterable[Place], *, parsed: bool = True) -> None:
        """Compare those who just came with the head: they get what they missed, or join a group.

        parsed: otherwise who missed something asks anew, for only who is parsed is slowed down when
        he asks for the same again and again.
        """
        found: dict[tuple[Filter, int], Callable[[Place], None]] = {}
        for place in places:
            if place.after > self._log.head:
                if not self.more:
                    self._send(place, None)  # it comes from a log that was another one
                continue
            key = (place.filter, place.after)
            if key not in found:
                found[key] = self._settler(place, parsed=parsed)
            found[key](place)

    def _meet(self) -> None:
        """Find out about strangers what a view would have, for all of them at once."""
        if self.more:
            return  # what is read here is already further on than the room
        today, still = Admission(self._log.feed, self._log.access), []
        for place, admission in list(islice(self.room.strangers.items(), MET_AT_ONCE)):
            if admission == today:
                place.checked = today.access
                still.append(place)
            else:
                self._send(place, None)
        self._meet_followers([place for place in still if place.filter.mission is not None])
        self._settle([place for place in still if place.filter.mission is None], parsed=False)
        self.more = self.more or bool(self.room.strangers)

    def _meet_followers(self, places: Sequence[Place]) -> None:
        """Of one mission each. Who has nothing behind his cursor later has nothing up to the room's head."""
        if not places:
            return
        named = {mission for place in places for mission in place.filter.mission_ids}
        workspace_id = places[0].filter.workspace_id
        there = queries.status_and_newest(self.sight.view(), workspace_id, named)
        for place in places:
            status, newest = there.get(place.filter.mission or 0, (None, 0))
            if self._has_missed(place, status, newest):
                self._send(place, None)
            else:
                place.after, place.status = self._log.head, status
                self._stay(place)

    def _has_missed(self, place: Place, status: str | None, newest: int) -> bool:
        """Whether one mission's feed may have something behind a cursor, or an error."""
        return (
            status is None
            or Status(status).ended
            or not max(newest, self._log.oldest - 1) <= place.after <= self._log.head
        )

    def _settler(self, place: Place, *, parsed: bool) -> Callable[[Place], None]:
        """What becomes of all who come with this place's filter and cursor."""
        try:
            missed = self._missed(place)
        except Problem:
            return lambda place: self._send(place, None)
        if missed is None:
            return self._stay
        if missed.complete and not parsed:
            return lambda place: self._send(place, None)
        if missed.complete:
            answer = Answer(missed, "events" if missed.events else "closed")
            return lambda place: self._send(place, answer)
        return lambda place: self._move_on(place, missed)

    def _missed(self, place: Place) -> Page | None:
        if place.after == self._log.head:
            return None
        if not self.room.tail.reaches(place.after):
            return page.read_in(self.sight.view(), place.filter, place.after)
        rows = self.room.tail.behind(place.after, place.filter.mission)
        return self._page(place.filter, place.after, rows, place.status)

    def _move_on(self, place: Place, passed: Page) -> None:
        """Nothing was for it. Behind a long scan there is more to look at."""
        place.after, place.status = passed.next, passed.status
        if passed.next < self._log.head:
            self.more = True
        else:
            self._stay(place)

    def _stay(self, place: Place) -> None:
        if place.waits:  # while the database was asked, it may have left
            self.room.join(place)

    def _send(self, place: Place, answer: Answer | None) -> None:
        self.room.leave(place)
        self.deliveries.append(Delivery([place], answer))

    @property
    def _log(self) -> Head:
        assert self.room.log is not None  # since the look began
        return self.room.log


def looks(sight: Sight, rooms: Mapping[int, Room]) -> Iterator[Look]:
    """A look at each room, all of them at one moment."""
    after = {key: None if room.log is None else room.log.head for key, room in rooms.items()}
    for workspace_id, found in log.news(sight.conn, after, limit=ROWS_AT_ONCE).items():
        yield Look(sight, rooms[workspace_id], found)


def _tells_status(wanted: Filter, row: Stored) -> bool:
    return row.mission == wanted.mission and row.kind == Kind.STATUS
