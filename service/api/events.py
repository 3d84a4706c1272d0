"""The event feed: `GET /events` and `GET /missions/{id}/events`."""

import time

from flask import Blueprint, Response, request

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
    return _poll(access, cursor.parse(arguments(*PARAMETERS, "mission"), access.workspace_id))


@blueprint.get("/missions/<id:mission_id>/events")
def mission_events(mission_id: int) -> Response:
    """One mission's part of the log, on the same cursor, with its status."""
    access = allow("read", mission=mission_id, polls=True)
    query = cursor.parse(arguments(*PARAMETERS), access.workspace_id, mission=mission_id)
    return _poll(access, query)


def _poll(access: Access, query: FeedQuery) -> Response:
    """The answer, which takes longer for a client that does not move on from its cursor."""
    parts = services()
    began = time.monotonic()
    with parts.limits.holding(access.token_id):
        body = parts.feed.poll(query, client_socket())
    if time.monotonic() - began < AT_ONCE_S:
        connection = (request.remote_addr, request.environ.get("REMOTE_PORT"))
        slow_s = parts.limits.slow_down((access.token_id, query), connection)
        if slow_s:
            pause(slow_s)
    return raw_answer(body)
