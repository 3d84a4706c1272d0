"""The event feed: `GET /events` and `GET /missions/{id}/events`."""

import time

from flask import Blueprint, Response, g, request

from service import clock
from service.api import compression, streams
from service.api.access import allow
from service.api.answers import raw_answer
from service.api.parsing import arguments
from service.api.services import client_socket, services
from service.feed import cursor
from service.feed.connection import Connection, Terms
from service.feed.cursor import FeedQuery
from service.feed.edge import Held
from service.feed.line import Line
from service.feed.patience import pause
from service.feed.poll import hold_until
from service.feed.waiters import Admission
from service.security.tokens import Access

blueprint = Blueprint("events", __name__)

PARAMETERS = ("after", "wait", "kind", "limit", "client")
JSON = "application/json"
AT_ONCE_S = 0.05  # a poll that was held for longer is no loop


@blueprint.get("/events")
def all_events() -> Response:
    """The workspace's log after a cursor; held while there is nothing."""
    access = allow("read", polls=True)
    given = arguments(*PARAMETERS, "mission")
    return _answer(access, given, mission=None)


@blueprint.get("/missions/<id:mission_id>/events")
def mission_events(mission_id: int) -> Response:
    """One mission's part of the log, on the same cursor, with its status."""
    access = allow("read", mission=mission_id, polls=True)
    return _answer(access, arguments(*PARAMETERS), mission=mission_id)


def _answer(access: Access, given: dict[str, list[str]], mission: int | None) -> Response:
    form = streams.wanted()
    given = streams.resumed(form, given)
    if form is None:
        response = _poll(access, cursor.parse(given, access.workspace_id, mission=mission))
    else:
        response = streams.answer(access, cursor.parse(given, access.workspace_id, mission=mission))
    response.vary.add("Accept")
    return response


def _poll(access: Access, query: FeedQuery) -> Response:
    """The answer, which takes longer for a client that does not move on from its cursor."""
    line = client_socket()
    if isinstance(line, Line) and line.request:
        return _left_to_the_edge(line, access, query)
    began = time.monotonic()
    answer = g.feed_answer = services().feed.poll(
        query,
        holder=access.token_id,
        sock=line,
        allow=lambda: allow("read", mission=query.filter.mission, polls=True),
    )
    if time.monotonic() - began < AT_ONCE_S:
        _slow_down(access, query)
    return raw_answer(answer.body)


def _slow_down(access: Access, query: FeedQuery) -> None:
    connection = (request.remote_addr, request.environ.get("REMOTE_PORT"))
    slow_s = services().limits.slow_down((access.token_id, query), connection)
    if slow_s:
        pause(slow_s)


def _left_to_the_edge(line: Line, access: Access, query: FeedQuery) -> Response:
    """The connection waits for the answer, or for its client to take it, and needs no greenlet for that."""
    feed = services().feed
    found = feed.begin(query)
    terms = Terms(
        wait_s=query.wait_s,
        packs=compression.takes_gzip(),
        echoes_id=request.headers.get("X-Request-Id") == g.request_id,
        expires=_expiry(access),
        admission=Admission(found.log.feed, access.changes),
        any_mission=not access.is_link,
    )
    held = Connection(line.edge, query.filter, access.token_id, terms)
    held.checked = access.changes
    held.deadline = line.deadline or hold_until(query.wait_s)
    line.deadline = None
    line.held = held
    answer = feed.ask(held, query.wait_s, held.deadline, found)
    if answer is not None:
        _slow_down(access, query)
        held.answered(answer)
    return Response(Held(), content_type=JSON, direct_passthrough=True)


def _expiry(access: Access) -> float:
    """When the caller's token ends, in monotonic time."""
    if access.expires_ms is None:
        return float("inf")
    return time.monotonic() + (access.expires_ms - clock.now_ms()) / 1000
