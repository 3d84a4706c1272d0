"""First polls that differ from one that was parsed in nothing but numbers: the mission, the cursor, `client`.

After a restart all clients of a process come at once, many with the same token and headers. What follows
from those bytes was found out with the first of them. What follows from the numbers the watcher reads,
for all who came in the meantime at once; see `serving`.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from service.feed.cursor import Filter
from service.feed.repeat import Repeat
from service.feed.template import ASKS_AGAIN_FROM_S, Template
from service.feed.waiters import Admission

FAMILIES_MAX = 1_000
MISSION = re.compile(rb"GET /missions/([0-9]{1,15})/events\?")


class Kin(NamedTuple):
    """A request's family, and what it has of its own."""

    family: "Family"
    repeat: Repeat
    filter: Filter
    after: int


@dataclass(frozen=True, slots=True)
class Family:
    """What a parsed request was found to be, and with it all that are like it.

    expires: when that has to be found out anew, monotonic.
    """

    template: Template
    filter: Filter
    holder: str | None
    admission: Admission
    expires: float


class Families:
    """Those of one process, the one that was parsed last at the end."""

    def __init__(self) -> None:
        self._families: OrderedDict[Any, Family] = OrderedDict()

    def learn(self, family: Family, *, any_mission: bool) -> None:
        """A request was parsed and let in. any_mission: its caller may read all of the workspace."""
        repeat = family.template.repeat
        if repeat is None or family.template.wait_s < ASKS_AGAIN_FROM_S:
            return
        key, mission = _told_apart(repeat)
        if mission is not None and (not any_mission or mission != family.filter.mission):
            return
        self._families[key] = family
        self._families.move_to_end(key)
        if len(self._families) > FAMILIES_MAX:
            self._families.popitem(last=False)

    def find(self, request: bytes, now: float) -> Kin | None:
        """What is known of a request by others of its family; None where it has to be parsed."""
        if not self._families:
            return None
        repeat = Repeat.of(request)
        if repeat is None:
            return None
        key, mission = _told_apart(repeat)
        family = self._families.get(key)
        after = repeat.cursor_in(request)
        if family is None or after is None or now >= family.expires:
            return None
        wanted = family.filter if mission is None else replace(family.filter, mission=mission)
        assert family.template.repeat is not None
        # The same bytes object for all: of ten thousand, each would keep its own headers.
        return Kin(family, replace(repeat, behind=family.template.repeat.behind), wanted, after)


def _told_apart(repeat: Repeat) -> tuple[Any, int | None]:
    """What a request has in common with its kin, and the mission in its path, which it need not have."""
    found = MISSION.match(repeat.before)
    start, end = found.span(1) if found else (0, 0)
    common = repeat.before[:start], repeat.before[end:]
    key = (common, repeat.between, repeat.behind, repeat.cursor_first)
    return key, int(found[1]) if found else None
