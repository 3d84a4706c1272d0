"""The watcher: one greenlet per web process that sees the log grow and answers those who wait."""

import logging
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import gevent
from gevent import get_hub
from gevent.event import Event

from service import clock
from service.db import UNAVAILABLE, Database, reason
from service.feed import serving
from service.feed.serving import Delivery, Look
from service.feed.waiters import Place, Waiters
from service.feed.witness import Witness

RETRY_S = 0.5  # after the database did not answer
# After a look that had something for somebody, the next one is put off for as long as that took, or for
# the part of that that is the part of those who wait who got something: what comes meanwhile shares an
# answer. One client is served at once, and a thousand get a burst in few pieces; where each event is for
# a few of many, there would be nothing to share.
LINGER_MAX_S = 0.01
LINGER_MIN_S = 0.001  # the loop's timers are no finer: less would only be later
# Strangers come in crowds, and one look is for all of them. What happens meanwhile they get at once all the same.
STRANGERS_WAIT_S = 0.02
ANSWERS_AT_ONCE = 500  # then everybody else is served before the next ones
TELL_EVERY_S = 0.5  # how many there are; to tell it costs more than to count one
ROOMS_KEPT_S = 5.0  # a client that comes back finds the newest events in memory
READ = 1

logger = logging.getLogger(__name__)


class Watcher:
    """Sleeps while nobody waits; looks at the heads of the workspaces that are waited for.

    well: the last look succeeded. What it saw is then as new as the hint that led to it.
    """

    def __init__(self, db: Database, waiters: Waiters, witness: Witness) -> None:
        self._db = db
        self._witness = witness
        self._waiters = waiters
        self._awake = Event()
        self._asked = False
        self._look_from = 0.0
        self._tidied = self._told_at = time.monotonic()
        self._greenlet: gevent.Greenlet | None = None
        loop = get_hub().loop
        # Told by another thread, where threads are not greenlets: only this may be called from there.
        self._told: Any = loop.async_(ref=False)
        self._crowd: Any = loop.timer(STRANGERS_WAIT_S, ref=False)
        self._hint = db.change_hint(wake=self._told.send)
        self._eye: Any = None
        self.well = True

    def start(self) -> None:
        self._told.start(self._awake.set)
        number = self._hint.fileno()
        if number is not None:
            self._eye = get_hub().loop.io(number, READ, ref=False)
            self._eye.start(self._see)
        self._greenlet = gevent.spawn(self._run)

    @property
    def alive(self) -> bool:
        return self._greenlet is not None and not self._greenlet.dead

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
        for watcher in filter(None, (self._told, self._crowd, self._eye)):
            watcher.stop()
            watcher.close()
        self._hint.close()

    def look_for(self) -> None:
        """Somebody has begun to wait: what came since their read has to be looked for once."""
        self._asked = True
        self._awake.set()

    def look_for_strangers(self) -> None:
        """The same for those who wait with others like them."""
        if not self._crowd.active:
            self._crowd.start(self.look_for)

    def _see(self) -> None:
        self._hint.told()
        self._awake.set()

    def _run(self) -> None:
        while True:
            try:
                self._watch()
                self.well = True
            except Exception as error:  # noqa: BLE001 (the greenlet's edge: without it, no poll would ever wake again)
                # That a connection has died idle shows at its first use: so once more at once.
                pause_s = 0 if self.well else RETRY_S
                self.well = False
                _note(error)
                gevent.sleep(pause_s)
                self._asked = True

    def _watch(self) -> None:
        self._sleep()
        asked, self._asked = self._asked, False
        if self._hint.changed(asked=asked):
            self._look()
        self._tidy()

    def _sleep(self) -> None:
        """Until there may be something to see: at once when somebody asked."""
        pause_s = self._hint.pause_s() if self._waiters.rooms else None
        if self._asked or pause_s == 0:
            gevent.sleep(0)
        else:
            self._awake.wait(pause_s)
            linger_s = self._look_from - time.monotonic()
            if linger_s >= LINGER_MIN_S:
                gevent.sleep(linger_s)
        self._awake.clear()

    def _look(self) -> None:
        """Look at all rooms at one moment, and then give everybody what is theirs."""
        begin = time.monotonic()
        looks: list[Look] = []
        try:
            with self._db.watching() as sight:
                for look in serving.looks(sight, self._waiters.rooms):
                    looks.append(look)
                    look.take()
        finally:  # who has left a room would wait for ever
            found = [delivery for look in looks for delivery in look.deliveries]
            took_s = time.monotonic() - begin
            self._deliver(found)
        self._hint.looked(took_s, found=bool(found))
        self._witness.woken(found=bool(found))
        self._asked = self._asked or any(look.more for look in looks)
        if found:
            end = time.monotonic()
            self._look_from = end + min((end - begin) * self._share(found), LINGER_MAX_S)

    def _share(self, found: list[Delivery]) -> float:
        """What part of those who wait got something."""
        answered = sum(len(delivery.places) for delivery in found)
        return answered / (answered + self._waiters.count)

    def _deliver(self, deliveries: list[Delivery]) -> None:
        now_ms, count = clock.now_ms(), 0
        for delivery in deliveries:
            happened_ms = delivery.answer.page.newest_ms if delivery.answer else None
            if happened_ms is not None:
                self._witness.delivered(max(0, now_ms - happened_ms) / 1000)
            for places in batched(delivery.places, ANSWERS_AT_ONCE):
                self._waiters.deliver(places, delivery.answer)
                count += len(places)
                if count >= ANSWERS_AT_ONCE:
                    gevent.sleep(0)
                    count = 0

    def _tidy(self) -> None:
        now = time.monotonic()
        if now > self._told_at + TELL_EVERY_S:
            self._told_at = now
            self._witness.holding(self._waiters.count)
        if now > self._tidied + ROOMS_KEPT_S:
            self._tidied = now
            self._waiters.tidy()


def batched(places: Iterable[Place], count: int) -> Iterator[list[Place]]:
    """Some at a time, as itertools has it from Python 3.12 on."""
    rest = iter(places)
    while some := list(islice(rest, count)):
        yield some


def _note(error: Exception) -> None:
    if isinstance(error, UNAVAILABLE):
        logger.warning("the database does not answer: %s", reason(error))
    else:
        logger.exception("the watcher failed; looking again in %s s", RETRY_S)
