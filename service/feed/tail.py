"""The newest part of a log in memory, for those who are a little behind: one read serves them all."""

from collections import deque
from collections.abc import Iterable, Sequence

from service.events.log import Head, Stored
from service.feed import page
from service.feed.cursor import Filter
from service.feed.page import Page

# A client that comes back later than this asks the database. Some seconds of a busy log.
ROWS_MAX = 2_000
CHARS_MAX = 2_000_000


class Tail:
    """All events with start < seq <= head, and nothing else."""

    def __init__(self, head: int) -> None:
        self.start = self.head = head
        self._rows: deque[Stored] = deque()
        # The same by mission: of a busy log with many, who follows one does not go through the rest.
        self._of_mission: dict[int, deque[Stored]] = {}
        self._chars = 0

    def extend(self, rows: Sequence[Stored], upto: int) -> None:
        """rows: all events behind the head, up to `upto`."""
        self._rows.extend(rows)
        for row in rows:
            self._of_mission.setdefault(row.mission, deque()).append(row)
            self._chars += len(row.text)
        self.head = upto
        while len(self._rows) > ROWS_MAX or self._chars > CHARS_MAX:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = self._rows.popleft()
        of_mission = self._of_mission[oldest.mission]
        of_mission.popleft()
        if not of_mission:
            del self._of_mission[oldest.mission]
        self._chars -= len(oldest.text)
        self.start = oldest.seq

    def reaches(self, after: int) -> bool:
        return self.start <= after <= self.head

    def has_nothing_of(self, missions: Sequence[int], after: int) -> bool:
        """Whether it is known that none of these missions has an event behind a cursor."""
        if not missions or not self.reaches(after):
            return False
        there = (self._of_mission.get(mission) for mission in missions)
        return all(not rows or rows[-1].seq <= after for rows in there)

    def behind(self, after: int, mission: int | None) -> list[Stored]:
        """The events behind a cursor that this reaches, of one mission or of all."""
        rows = self._rows if mission is None else self._of_mission.get(mission, ())
        found: list[Stored] = []
        for row in reversed(rows):
            if row.seq <= after:
                break
            found.append(row)
        return found[::-1]


def cut(rows: Iterable[Stored], wanted: Filter, log: Head, *, status: str | None) -> Page:
    """The page that these rows make, all there are up to the head; as `page.read` would read it."""
    events: list[str] = []
    size, last = 0, 0
    for row in rows:
        if not wanted.passes(row.mission, row.kind):
            continue
        size += len(row.text.encode()) + 1
        if len(events) == wanted.limit or (events and size > page.PAGE_MAX_BYTES):
            return Page(log, tuple(events), last, status)
        events.append(row.text)
        last = row.seq
    return Page(log, tuple(events), last if len(events) == wanted.limit else log.head, status)
