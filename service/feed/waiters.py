"""Those who wait: polls that would get the same answer stand in one group, and get it together."""

from dataclasses import dataclass, field

from gevent.event import AsyncResult

from service.feed.cursor import Filter


@dataclass(eq=False, slots=True)
class Group:
    """Polls with one filter at one cursor. seen: up to this head nothing is for them."""

    filter: Filter
    after: int
    seen: int
    places: set["Place"] = field(default_factory=set)

    def answer(self, body: bytes) -> None:
        """Give the same bytes to all who stand here."""
        for place in self.places:
            place.result.set(body)


@dataclass(eq=False, slots=True)
class Place:
    """One held poll. result: the bytes of its answer, or None when it is to look for itself."""

    group: Group
    result: "AsyncResult[bytes | None]" = field(default_factory=AsyncResult)


class Waiters:
    """All held polls of this process, by workspace."""

    def __init__(self) -> None:
        self._groups: dict[int, dict[tuple[Filter, int], Group]] = {}
        self.count = 0

    def join(self, wanted: Filter, after: int, seen: int) -> Place:
        """Stand in the group for a filter and a cursor, until `leave`."""
        group = self._put(Group(wanted, after, seen))
        place = Place(group)
        group.places.add(place)
        self.count += 1
        return place

    def leave(self, place: Place) -> None:
        place.group.places.discard(place)
        self.count -= 1
        if not place.group.places:
            self._take(place.group)

    def workspaces(self) -> list[int]:
        return list(self._groups)

    def groups(self, workspace_id: int) -> list[Group]:
        return list(self._groups.get(workspace_id, {}).values())

    def advance(self, group: Group, after: int, seen: int) -> None:
        """Move a group past events that were not for it; it joins one that stands there already."""
        self._take(group)
        there = self._put(Group(group.filter, after, seen))
        for place in group.places:
            place.group = there
        there.places |= group.places

    def _put(self, group: Group) -> Group:
        groups = self._groups.setdefault(group.filter.workspace_id, {})
        there = groups.setdefault((group.filter, group.after), group)
        there.seen = min(there.seen, group.seen)
        return there

    def _take(self, group: Group) -> None:
        groups = self._groups.get(group.filter.workspace_id, {})
        groups.pop((group.filter, group.after), None)
        if not groups:
            self._groups.pop(group.filter.workspace_id, None)
