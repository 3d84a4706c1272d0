"""What a mission may name on this server: models and tools. Projects have a path of their own."""

from flask import Blueprint, Response

from service.api.access import allow
from service.api.answers import json_answer
from service.api.parsing import arguments
from service.api.services import services
from service.missions.spec import TOOLS

blueprint = Blueprint("offers", __name__)


@blueprint.get("/offers")
def offered() -> Response:
    """The names that a form for a new mission can offer."""
    allow("read")
    arguments()
    settings = services().settings
    return json_answer(
        {
            "models": list(settings.allowed_models),
            "tools": sorted(TOOLS | settings.further_tools),
        }
    )
