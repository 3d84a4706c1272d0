"""`/me`: what a caller may do here, so that a page offers nothing that would be refused."""

from flask import Blueprint, Response

from service.api.access import caller
from service.api.answers import json_answer
from service.api.parsing import arguments
from service.security.tokens import SCOPES

blueprint = Blueprint("callers", __name__)


@blueprint.get("/me")
def me() -> Response:
    """Also for who holds a share link: it names the one thing that the link opens."""
    access = caller("read")
    arguments()
    return json_answer(
        {
            "name": access.name,
            "scopes": [scope for scope in SCOPES if access.may(scope)],
            "mission": access.mission_id,
            "request": access.request_id,
        }
    )
