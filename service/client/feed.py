"""Following the log, as steps: resumes by itself, yields each event once and in order, or says why not."""

import time
import uuid
from collections.abc import Generator, Sequence
from typing import Any

import httpx

from service.client.errors import (
    ApiError,
    CursorAhead,
    CursorExpired,
    EventsMissing,
    FeedReset,
    LongPollError,
)
from service.client.steps import Patience, Pause, Send, Steps, call, json_object, succeeded
from service.client.values import ENDED, Event

POLL_WAIT_S = 20.0
GONE = {"cursor_expired": CursorExpired, "cursor_ahead": CursorAhead}


class Cursor:
    """Where a reader stands: store `after` and `feed`, and go on from there another day."""

    def __init__(
        self,
        mission: int | None = None,
        *,
        after: int | str = 0,
        feed: str | None = None,
        kinds: Sequence[str] = (),
        patience_s: float | None = None,
    ) -> None:
        """after: a number, `now`, or `-N` for the N newest. kinds: these only, or `-KIND` for all but."""
        self.after = after
        self.feed = feed
        self.ended = False
        self._started = False
        self._mission = mission
        self._kinds = ",".join(kinds)
        self._mseq: int | None = None
        self._patience = Patience(patience_s)

    def steps(self) -> Generator[Send | Pause | Event, Any, None]:
        """Yields events between the steps. Ends with a mission's last event; a workspace's never."""
        while not self.ended:
            try:
                page = self._page((yield self._send()))
            except (httpx.TransportError, ValueError, ApiError) as error:
                yield self._recovered(error)
                continue
            self._patience.renew()
            yield from self._events(page)
            if page["retry_s"]:
                yield Pause(page["retry_s"])

    def _send(self) -> Send:
        path = "/events" if self._mission is None else f"/missions/{self._mission}/events"
        # A name for each poll: some caches serve equal URLs one after the other, or from memory.
        params = {"after": self.after, "wait": POLL_WAIT_S, "client": uuid.uuid4().hex[:12]}
        return Send("GET", path, params | ({"kind": self._kinds} if self._kinds else {}))

    def _page(self, response: httpx.Response) -> dict[str, Any]:
        page: dict[str, Any] = json_object(succeeded(response))
        if not {"feed", "events", "next", "closed", "retry_s"} <= page.keys():
            raise ValueError("not an answer of the feed")
        if isinstance(self.after, int) and page["next"] < self.after and page["feed"] == self.feed:
            raise ValueError("an old answer, from somebody's memory")
        return page

    def _recovered(self, error: Exception) -> Pause:
        """What to do before the next try. Raises what only the caller can decide."""
        gone = GONE.get(error.code) if isinstance(error, ApiError) else None
        if gone is None or not isinstance(error, ApiError):
            return self._patience.after(error)
        if gone is CursorExpired and self.after == 0 and not self._started:
            # Nothing was read yet, so nothing is lost: begin with the oldest that is there.
            self.after = int(error.body["oldest"]) - 1
            return Pause(0)
        kind = gone if self.feed in (None, error.body.get("feed")) else FeedReset
        raise self._broken(kind, error.detail, error.body) from None

    def _events(self, page: dict[str, Any]) -> Generator[Event, Any, None]:
        if self.feed not in (None, page["feed"]):
            raise self._broken(FeedReset, "The log is another one than before.", page)
        self.feed, self._started = page["feed"], True
        for event in page["events"]:
            if isinstance(self.after, int) and event["seq"] <= self.after:
                continue  # seen before
            self._prove_next(event, page)
            self.after = event["seq"]  # before the caller gets it: it is the caller's from here on
            yield event
        self.after = page["next"]
        self.ended = page["closed"]

    def _prove_next(self, event: Event, page: dict[str, Any]) -> None:
        """One mission's events are numbered without holes, and so are a workspace's."""
        if self._kinds:
            return
        number = event["seq"] if self._mission is None else event["mseq"]
        if self._mseq is not None and number != self._mseq + 1:
            raise self._broken(EventsMissing, f"{number} follows {self._mseq}.", page)
        self._mseq = number

    def _broken(self, kind: type[LongPollError], text: str, log: dict[str, Any]) -> LongPollError:
        return kind(f"{text} The cursor was {self.after}, the log is {log.get('feed')}.", log)


def wait_until(mission_id: int, statuses: Sequence[str], within_s: float | None) -> Steps:
    """The mission, once it has one of the statuses. Outages are waited out.

    Raises TimeoutError; ValueError when the mission has ended in another way.
    """
    deadline = None if within_s is None else time.monotonic() + within_s
    path = f"/missions/{mission_id}"
    params: dict[str, Any] = {}
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        mission = yield from call(Send("GET", path, params), left)
        if mission["status"] in (statuses or ENDED):
            return mission
        if mission["status"] in ENDED:
            raise ValueError(f"mission {mission_id} is {mission['status']}, and that is its end")
        if deadline is not None and time.monotonic() >= deadline:
            raise TimeoutError(f"mission {mission_id} is {mission['status']} after {within_s:g} s")
        hold_s = POLL_WAIT_S if deadline is None else max(0.0, deadline - time.monotonic())
        params = {"rev": mission["rev"], "wait": f"{min(hold_s, POLL_WAIT_S):.3f}"}
