"""What is to happen when, for very many: ten thousand timers of which nearly all are put off in time."""

import heapq
import time
from typing import Any, Protocol

from gevent import get_hub

GRAIN_S = 0.002  # those within it go together; the loop's own timers are no finer
# What is further away than this is kept roughly, and looked at again when it is near: so ten thousand
# polls that end at all times of two seconds lie in eight sets and not in a thousand, and wake the loop as often.
FAR_S = 2.0
ROUGH = 128  # grains
NEVER = float("inf")


class Due(Protocol):
    """due: when its time is over, in monotonic time; NEVER while it has none.

    slot: where `Deadlines` keeps it, at `due` or before; 0 for nowhere.
    """

    due: float
    slot: int

    def time_is_over(self) -> None:
        """Called in the hub: it may not wait for anything."""


class Deadlines:
    """One timer of the loop for all. Putting in and taking out costs the same however many there are.

    Whoever is put off stays where he is, and is moved when that time comes: most are put off again before.
    """

    def __init__(self) -> None:
        self._slots: dict[int, set[Due]] = {}
        self._order: list[int] = []
        self._timer: Any = None

    def put(self, item: Due, at: float) -> None:
        """Call item.time_is_over at this monotonic time, or a grain earlier; never before it returns."""
        item.due = at
        slot = _slot(at)
        if 0 < item.slot <= slot:
            return
        if item.slot:
            self._take_out(item)
        self._put_in(item, slot)

    def rest(self, item: Due) -> None:
        """Its time is not over before it is put in again, which will be soon: so it keeps its place."""
        item.due = NEVER

    def drop(self, item: Due) -> None:
        """Forget it."""
        item.due = NEVER
        if item.slot:
            self._take_out(item)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()

    def _put_in(self, item: Due, slot: int) -> None:
        item.slot = slot
        there = self._slots.get(slot)
        if there is not None:
            there.add(item)
            return
        self._slots[slot] = {item}
        heapq.heappush(self._order, slot)
        if self._order[0] == slot:
            self._wake_for(slot)

    def _take_out(self, item: Due) -> None:
        there = self._slots.get(item.slot)
        if there is not None:  # None while those of this slot are called
            there.discard(item)
        item.slot = 0

    def _wake_for(self, slot: int) -> None:
        self.close()
        seconds = max(0.0, slot * GRAIN_S - time.monotonic())
        self._timer = get_hub().loop.timer(seconds)
        self._timer.start(self._run, update=True)

    def _run(self) -> None:
        now = int(time.monotonic() / GRAIN_S)
        while self._order and self._order[0] <= now:
            slot = heapq.heappop(self._order)
            for item in self._slots.pop(slot):
                item.slot = 0
                # Not `due < (now + 1) * GRAIN_S`: between the two lie what a float leaves of a moment that is just
                # there, which would be put in again and again for ever.
                if item.due < NEVER and int(item.due / GRAIN_S) <= now:
                    item.due = NEVER
                    item.time_is_over()
                elif item.due < NEVER:
                    self._put_in(item, _slot(item.due))
        self._forget_empty()
        if self._order:
            self._wake_for(self._order[0])

    def _forget_empty(self) -> None:
        """Pass over times at which nobody is left: nearly all polls are answered before theirs."""
        while self._order and not self._slots[self._order[0]]:
            del self._slots[heapq.heappop(self._order)]


def _slot(at: float) -> int:
    slot = int(at / GRAIN_S)
    return slot - slot % ROUGH if at > time.monotonic() + FAR_S else slot
