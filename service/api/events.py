"""The event feed: `GET /events` and `GET /missions/{id}/events`."""

from flask import Blueprint, Response

from service.api.access import allow
from service.api.answers import raw_answer
from service.api.parsing import arguments
from service.api.services import client_socket, services
from service.feed import cursor

blueprint = Blueprint("events", __name__)

PARAMETERS = ("after", "wait", "kind", "limit", "client")


@blueprint.get("/events")
def all_events() -> Response:
    """The workspace's log after a cursor; held while there is nothing."""
    access = allow("read")
    query = cursor.parse(arguments(*PARAMETERS, "mission"), access.workspace_id)
    return raw_answer(services().feed.poll(query, client_socket()))


@blueprint.get("/missions/<id:mission_id>/events")
def mission_events(mission_id: int) -> Response:
    """One mission's part of the log, on the same cursor, with its status."""
    access = allow("read")
    query = cursor.parse(arguments(*PARAMETERS), access.workspace_id, mission=mission_id)
    return raw_answer(services().feed.poll(query, client_socket()))
