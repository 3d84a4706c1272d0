"""Those who wait: polls that would get the same answer stand in one group, and get it together."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from service.events.log import Head, Stored
from service.feed.answer import Answer
from service.feed.cursor import Filter
from service.feed.deadlines import NEVER, Deadlines
from service.feed.tail import Tail


class Admission(NamedTuple):
    """As of when somebody was let in: which log, and its count of changes of access."""

    feed: str
    access: int


class Place:
    """One held poll, whoever holds it: a greenlet, or a connection that has none.

    after: nothing up to here is for it. status: of the mission that it follows, as of there.
    checked: the count of changes of access (see Head) at which its caller was let in; -1: not known.
    group: where it stands, or stood the last time. due, slot: see `Deadlines`.
    """

    __slots__ = ("after", "checked", "due", "filter", "group", "holder", "slot", "status", "waits")

    def __init__(self, wanted: Filter, holder: str | None) -> None:
        self.filter = wanted
        self.after = 0
        self.holder = holder
        self.status: str | None = None
        self.checked = -1
        self.group: Group | None = None
        self.due = NEVER
        self.slot = 0
        self.waits = False

    @property
    def stands(self) -> bool:
        """Whether it has seen all up to its room's head."""
        return self.group is not None and self in self.group.places

    def answered(self, answer: Answer | None) -> None:
        """It waits no longer. None: it is to ask anew, as if it had just come. May run in the hub."""
        raise NotImplementedError

    def time_is_over(self) -> None:
        """Called in the hub when it is still there at its deadline."""
        raise NotImplementedError


class Group:
    """Polls with one filter that have nothing to get up to their room's head.

    status: of the mission that they follow, as of there. quiet: what they get when nothing comes, once
    it was made, with the head that it was made for. room: None once the room has forgotten it, which it
    does when nobody has stood there for a while: between two polls, a client's group stays.
    """

    __slots__ = ("filter", "places", "quiet", "room", "status")

    def __init__(self, room: "Room", wanted: Filter) -> None:
        self.room: Room | None = room
        self.filter = wanted
        self.status: str | None = None
        self.places: set[Place] = set()
        self.quiet: Answer | None = None

    def let_go(self) -> set[Place]:
        """All who stand here, and then nobody does."""
        places, self.places = self.places, set()
        return places


class Room:
    """Those who wait for one workspace's log. `arrivals` are those not yet compared with its head.

    strangers: nobody has even looked whether what they ask for is there: only that they may ask, and as of when.
    log: None until the watcher has looked. tail: what is behind older cursors.
    """

    def __init__(self) -> None:
        self.log: Head | None = None
        self.access = -1  # the changes of access up to which all in groups were checked
        self.tail = Tail(0)
        self.arrivals: set[Place] = set()
        self.strangers: dict[Place, Admission] = {}
        self._groups: dict[Filter, Group] = {}
        self._of_mission: dict[int, set[Group]] = {}
        self._of_all: set[Group] = set()

    def begin(self, log: Head) -> None:
        """Stand at a head, knowing nothing of what was before."""
        self.log = log
        self.tail = Tail(log.head)

    @property
    def is_empty(self) -> bool:
        return not self.arrivals and not self.strangers and not self._groups

    def groups(self) -> list[Group]:
        return list(self._groups.values())

    def places(self) -> Iterator[Place]:
        yield from [*self.arrivals, *self.strangers]
        for group in self.groups():
            yield from list(group.places)

    def returns(self, place: Place, group: Group) -> bool:
        """Let a place stand where it stood before, if there is nothing for it up to the head."""
        log = self.log
        if log is None or place.checked != log.access:
            return False
        if place.after != log.head:
            if not self.tail.has_nothing_of(group.filter.mission_ids, place.after):
                return False
            place.after = log.head
        self._stand(place, group)
        return True

    def join(self, place: Place) -> None:
        """Stand in the group of its filter: it has seen all up to the head."""
        self._has_come(place)
        group = self._groups.get(place.filter)
        if group is None:
            group = self._groups[place.filter] = Group(self, place.filter)
            for index in self._indexes(group.filter):
                index.add(group)
        place.group, place.filter = (
            group,
            group.filter,
        )  # an equal one, of which there need be no two
        self._stand(place, group)

    def _stand(self, place: Place, group: Group) -> None:
        if not group.places:  # nobody was there to be told of the status
            group.status, group.quiet = place.status, None
        group.places.add(place)

    def leave(self, place: Place) -> None:
        self._has_come(place)
        if place.group is not None:
            place.group.places.discard(place)

    def _has_come(self, place: Place) -> None:
        self.arrivals.discard(place)
        self.strangers.pop(place, None)

    def tidy(self) -> None:
        """Forget the groups in which nobody stands."""
        for group in self.groups():
            if not group.places:
                self._forget(group)

    def _forget(self, group: Group) -> None:
        group.room = None
        del self._groups[group.filter]
        for index in self._indexes(group.filter):
            index.discard(group)
        for mission in group.filter.mission_ids:
            if not self._of_mission.get(mission, True):
                del self._of_mission[mission]

    def concerned(self, rows: Iterable[Stored]) -> list[Group]:
        """The groups with somebody for whom one of these events may matter."""
        found: dict[Group, None] = {}
        for row in rows:
            for group in (*self._of_mission.get(row.mission, ()), *self._of_all):
                if not group.places or group in found:
                    continue
                if group.filter.wants(row.mission, row.kind):
                    found[group] = None
        return list(found)

    def _indexes(self, wanted: Filter) -> list[set[Group]]:
        if not wanted.mission_ids:
            return [self._of_all]
        return [self._of_mission.setdefault(mission, set()) for mission in wanted.mission_ids]


class Waiters:
    """All held polls of this process: how many, whose, until when, and in which room."""

    def __init__(self) -> None:
        self.deadlines = Deadlines()
        self.rooms: dict[int, Room] = {}
        self.count = 0
        self._by_holder: dict[str, int] = {}

    def held_by(self, holder: str | None) -> int:
        return self._by_holder.get(holder, 0) if holder is not None else 0

    def enter(self, place: Place, until: float, admission: Admission | None = None) -> bool:
        """Begin to wait. Whether somebody has to look what the place has missed.

        admission: of a stranger, see `Room`.
        """
        place.waits = True
        self.count += 1
        if place.holder is not None:
            self._by_holder[place.holder] = self._by_holder.get(place.holder, 0) + 1
        self.deadlines.put(place, until)
        group = place.group
        if group is not None and group.room is not None and group.room.returns(place, group):
            return False
        room = self.rooms.get(place.filter.workspace_id)
        if room is None:
            room = self.rooms[place.filter.workspace_id] = Room()
        if admission is None:
            room.arrivals.add(place)
        else:
            room.strangers[place] = admission
        return True

    def leave(self, place: Place) -> None:
        """Wait no longer; nothing happens to who does not."""
        if place.waits:
            self.rooms[place.filter.workspace_id].leave(place)
            self._uncount(place)

    def answer(self, place: Place, answer: Answer | None) -> None:
        if place.waits:
            self.leave(place)
            place.answered(answer)

    def deliver(self, places: Iterable[Place], answer: Answer | None) -> None:
        """Answer those who have left their room already, and still wait."""
        for place in places:
            if place.waits:
                self._uncount(place)
                place.answered(answer)

    def everybody(self) -> list[Place]:
        return [place for room in self.rooms.values() for place in room.places()]

    def tidy(self) -> None:
        """Forget the rooms in which nobody is, and the groups."""
        for room in self.rooms.values():
            room.tidy()
        self.rooms = {key: room for key, room in self.rooms.items() if not room.is_empty}

    def _uncount(self, place: Place) -> None:
        place.waits = False
        self.count -= 1
        self.deadlines.rest(place)
        if place.holder is not None:
            self._by_holder[place.holder] -= 1
            if not self._by_holder[place.holder]:
                del self._by_holder[place.holder]
