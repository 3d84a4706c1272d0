"""The feed as a stream, for clients that ask for one: server-sent events, or lines of JSON.

The same URL, cursor and polls; the answer only goes on. A stream ends by itself before a proxy would
end it, and the client comes back with its cursor. Where a proxy holds answers back, long polling works.
"""

import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson
from flask import Response, request

from service.api.services import client_socket, services
from service.errors import Problem
from service.feed import cursor
from service.feed.answer import Answer
from service.feed.cursor import FeedQuery, misfit
from service.feed.page import Page, seq_of
from service.feed.poll import Feed
from service.security.tokens import Access

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
LINES = "application/x-ndjson"
# Ends below the minute at which nginx and load balancers cut what they think is idle.
LASTS_FROM_S, LASTS_TO_S = 48.0, 54.0
BOOKMARK_S = 14.0  # at least every 15 s something comes, so that nobody takes it for dead
RETRY_MS = 1000
SPARE_S = 0.05  # too little to wait once more

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would keep it to the end


def wanted() -> str | None:
    """The form of stream that the client prefers; None for an ordinary answer."""
    best = request.accept_mimetypes.best_match([JSON, EVENT_STREAM, LINES], default=JSON)
    return None if best == JSON else best


def resumed(form: str | None, given: dict[str, list[str]]) -> dict[str, list[str]]:
    """The parameters with the cursor of the last event that an EventSource has seen."""
    last = request.headers.get("Last-Event-ID")
    if last is not None and not cursor.DIGITS.fullmatch(last):
        raise misfit("Last-Event-ID", "must be the id of an event: digits")
    return given if form != EVENT_STREAM or last is None else {**given, "after": [last]}


def answer(access: Access, query: FeedQuery) -> Response:
    """The stream; 204 where nothing will ever come, which stops an EventSource.

    `wait` ends it when nothing came for so long; left out, it stays as long as it may.
    """
    stays = "wait" not in request.args
    form = EventStream() if wanted() == EVENT_STREAM else Lines()
    source = Source(services().feed, access.token_id, client_socket())
    first = source.next(replace(query, wait_s=0.0))
    if form.stops_when_closed and first.page.closed and not first.page.events:
        return Response(status=204)
    wait_s = cursor.WAIT_MAX_S if stays else query.wait_s
    pages = _pages(source, replace(query, wait_s=wait_s), first, stays=stays)
    return Response(
        form.write(pages),
        content_type=form.content_type,
        headers=HEADERS,
    )


class Interrupted(Exception):
    """What let the client in may hold no longer: it has to come again, and is told then."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a stream's answers come from. Outlives the request's context: only this is used then."""

    feed: Feed
    holder: str | None
    sock: Any

    def next(self, query: FeedQuery) -> Answer:
        return self.feed.poll(query, holder=self.holder, sock=self.sock, allow=self._interrupt)

    def _interrupt(self) -> None:
        raise Interrupted


def _pages(source: Source, query: FeedQuery, first: Answer, *, stays: bool) -> Iterator[Answer]:
    """Answer after answer; the last one has a reason why there are no more."""
    ends = time.monotonic() + random.uniform(LASTS_FROM_S, LASTS_TO_S)  # noqa: S311
    found, quiet_until = first, time.monotonic() + query.wait_s
    while True:
        now = time.monotonic()
        if found.page.events:
            quiet_until = now + query.wait_s
        until = ends if stays else min(ends, quiet_until)
        over = now >= ends or (now >= until - SPARE_S and not found.page.events)
        if found.page.closed or found.reason in ("drain", "busy") or over:
            yield found
            return
        yield Answer(found.page, "")
        left = max(0.0, min(BOOKMARK_S, until - time.monotonic()))
        following = cursor.from_cursor(query, found.page.next)
        try:
            found = source.next(replace(following, wait_s=left))
        except (Interrupted, Problem):
            found = Answer(replace(found.page, events=()), "drain")


def _bookmark(page: Page) -> dict[str, Any]:
    found = {"next": page.next, "head": page.log.head, "feed": page.log.feed}
    return found if page.status is None else {**found, "status": page.status}


@dataclass(frozen=True, slots=True)
class EventStream:
    """As an EventSource reads it. A bookmark moves its cursor over what the filter left out."""

    content_type = f"{EVENT_STREAM}; charset=utf-8"
    stops_when_closed = True

    def write(self, answers: Iterable[Answer]) -> Iterator[bytes]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        for found in answers:
            events = [f"id: {seq_of(text)}\ndata: {text}\n\n" for text in found.page.events]
            mark = _bookmark(found.page)
            if found.reason:
                mark |= {"reason": found.reason, "closed": found.page.closed}
            said = orjson.dumps(mark).decode()
            yield "".join(
                [*events, f"event: bookmark\nid: {found.page.next}\ndata: {said}\n\n"]
            ).encode()


@dataclass(frozen=True, slots=True)
class Lines:
    """An event a line. The last line says that it is: without it, the transfer was cut."""

    content_type = LINES
    stops_when_closed = False

    def write(self, answers: Iterable[Answer]) -> Iterator[bytes]:
        for found in answers:
            mark: dict[str, Any] = {"bookmark": True, **_bookmark(found.page)}
            if found.reason:
                mark = {"end": True, **_bookmark(found.page), "reason": found.reason}
                mark |= {"closed": found.page.closed}
            yield b"\n".join([*(t.encode() for t in found.page.events), orjson.dumps(mark), b""])
