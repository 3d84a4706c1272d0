"""The recorder: takes a child's events at once, and writes them in few, ordered batches."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from service import durations
from service.db import UNAVAILABLE, Database, reason
from service.durations import Counts
from service.errors import LeaseLost
from service.events.kinds import Kind, NewEvent
from service.missions.attempts import Claim
from service.security.redaction import Redactor
from service.worker.once import Once, Write
from service.worker.redacting import Redacting

# Events that come faster share a batch. Not the first ones behind a quiet moment: somebody waits for
# a task's first word, which comes shortly behind what announces it.
BATCH_EVERY_S = 0.025
AT_ONCE = 4  # batches
BATCH_MAX = 500
DELTA_MAX_CHARS = 16 * 1024  # of one STREAM event; a page has to carry it
RETRY_S = 0.5

logger = logging.getLogger(__name__)


class Recorder:
    """Writes one attempt's events. Any thread may put; order of putting is order in the log.

    Its thread may be started before it is known which attempt: nothing is put before `take_up`.
    """

    redactor: Redactor
    _once: Once
    _redacting: Redacting

    def __init__(
        self,
        db: Database,
        appends: Counts | None = None,
        *,
        on_lost: Callable[[], object] = lambda: None,
    ) -> None:
        """appends: where to count how long each append takes. on_lost: called when the lease is gone."""
        self._db = db
        self._appends = durations.none() if appends is None else appends
        self._pending: list[NewEvent] = []
        self._filled = threading.Condition()
        self._writing = threading.Lock()
        self._closed = False
        self._on_lost = on_lost
        self.lost = threading.Event()  # the lease is gone: nothing more can be written
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take_up(self, claim: Claim, redactor: Redactor) -> Self:
        """From here on it is this attempt's."""
        self._once = Once(self._db, claim)
        self.redactor = redactor
        self._redacting = Redacting(redactor)
        return self

    def put(self, event: NewEvent) -> None:
        """Take an event; returns at once."""
        with self._filled:
            self._pending += self._redacting.passed(event)
            self._filled.notify()

    def flush(self) -> None:
        """Return when all that was put before is stored. Raises LeaseLost.

        But for the last characters of a text that still comes, while they may begin a secret.
        """
        with self._writing:
            while batch := self._take():
                self._store(batch, None)

    def store(self, events: Iterable[NewEvent], ahead: Write) -> None:
        """Put events, and begin the transaction that stores the last of them with `ahead`.

        Returns when it is committed. Raises LeaseLost. What `ahead` puts into the events' data is
        not redacted here.
        """
        with self._filled:
            redacted = [passed for event in events for passed in self._redacting.passed(event)]
        self.flush()
        with self._writing:
            self._store(self._take() + redacted, ahead)

    def close(self) -> None:
        """Write what is left and stop."""
        with self._filled:
            self._closed = True
            self._pending += self._redacting.rest()
            self._filled.notify()
        self._thread.join()
        if not self.lost.is_set():
            self.flush()

    def _run(self) -> None:
        paid_until = 0.0  # each batch costs its share of time, and some may be in debt
        while self._wait_for_events():
            paid_until = max(paid_until, time.monotonic()) + BATCH_EVERY_S
            try:
                with self._writing:
                    self._store(self._take(), None)
            except LeaseLost:
                self.lost.set()
                self._on_lost()
                return
            debt_s = paid_until - time.monotonic()
            time.sleep(max(0.0, debt_s - (AT_ONCE - 1) * BATCH_EVERY_S))

    def _wait_for_events(self) -> bool:
        """Block until there is something to write; False when there never will be again."""
        with self._filled:
            while not self._pending and not self._closed:
                self._filled.wait()
            return not self._closed

    def _take(self) -> list[NewEvent]:
        with self._filled:
            batch, self._pending = self._pending[:BATCH_MAX], self._pending[BATCH_MAX:]
        return batch

    def _store(self, batch: list[NewEvent], ahead: Write | None) -> None:
        """Write a batch; while the database is away, go on trying: the lease decides who gives up."""
        events = list(joined(batch))
        while events:
            began = time.monotonic()
            try:
                self._once.write(events, ahead)
                durations.count(self._appends, time.monotonic() - began)
                return
            except UNAVAILABLE as error:
                logger.warning("the database does not answer: %s", reason(error))
                time.sleep(RETRY_S)


def joined(batch: Iterable[NewEvent]) -> Iterator[NewEvent]:
    """Neighbouring STREAM deltas of one call as one; a delta that is too long as several."""
    last: NewEvent | None = None
    for event in batch:
        if last is not None and _goes_on(last, event):
            last.data = {**last.data, "delta": last.data["delta"] + event.data["delta"]}
            continue
        if last is not None:
            yield from _split(last)
        last = event
    if last is not None:
        yield from _split(last)


def _goes_on(last: NewEvent, event: NewEvent) -> bool:
    return (
        event.kind is Kind.STREAM
        and last.kind is Kind.STREAM
        and (last.name, last.call) == (event.name, event.call)
        and last.data.keys() == event.data.keys()
    )


def _split(event: NewEvent) -> Iterator[NewEvent]:
    delta = event.data.get("delta", "") if event.kind is Kind.STREAM else ""
    if len(delta) <= DELTA_MAX_CHARS:
        yield event
        return
    for i in range(0, len(delta), DELTA_MAX_CHARS):
        data = {**event.data, "delta": delta[i : i + DELTA_MAX_CHARS]}
        yield NewEvent(
            event.kind, event.name, data, event.agent, event.task, event.call, event.at_ms
        )
