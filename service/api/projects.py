"""The registered projects over HTTP: what a mission may run, and what it has to be given. Reads only."""

from flask import Blueprint, Response

from service.api.access import allow
from service.api.answers import json_answer
from service.api.parsing import arguments
from service.api.services import services
from service.missions import projects

blueprint = Blueprint("projects", __name__)


@blueprint.get("/projects")
def offered() -> Response:
    """All projects, each with the JSON Schema of its inputs: enough to draw a form."""
    allow("read")
    arguments()
    with services().db.reading() as conn:
        return json_answer({"projects": projects.offered(conn)})
