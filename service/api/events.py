"""The event feed: `GET /events` and `GET /missions/{id}/events`."""

import time

from flask import Blueprint, Response, g, request

from service.api import streams
from service.api.access import allow
from service.api.answers import raw_answer
from service.api.parsing import arguments
from service.api.services import client_socket, services
from service.feed import cursor
from service.feed.cursor import FeedQuery
from service.feed.patience import pause
from service.security.tokens import Access

blueprint = Blueprint("events", __name__)

PARAMETERS = ("after", "wait", "kind", "limit", "client")
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
    if form is None:
        response = _poll(access, cursor.parse(given, access.workspace_id, mission=mission))
    else:
        given = streams.resumed(form, given)
        response = streams.answer(access, cursor.parse(given, access.workspace_id, mission=mission))
    response.vary.add("Accept")
    return response


def _poll(access: Access, query: FeedQuery) -> Response:
    """The answer, which takes longer for a client that does not move on from its cursor."""
    parts = services()
    began = time.monotonic()
    g.feed_answer = parts.feed.poll(
        query,
        holder=access.token_id,
        sock=client_socket(),
        allow=lambda: allow("read", mission=query.filter.mission, polls=True),
    )
    if time.monotonic() - began < AT_ONCE_S:
        connection = (request.remote_addr, request.environ.get("REMOTE_PORT"))
        slow_s = parts.limits.slow_down((access.token_id, query), connection)
        if slow_s:
            pause(slow_s)
    return raw_answer(g.feed_answer.body)
