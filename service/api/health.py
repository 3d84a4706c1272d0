"""Whether this process is up (`/healthz`), and whether it can serve (`/readyz`)."""

from flask import Blueprint, Response

from service.api.answers import json_answer
from service.api.services import services
from service.errors import Problem
from service.security import tokens

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 as long as the process answers at all, whatever its database does."""
    return json_answer({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 when the database answers and the watcher is alive."""
    parts = services()
    parts.entrance.open()
    with parts.db.reading() as conn:
        tokens.any_valid(conn)
    if not parts.feed.alive:
        raise Problem("database_unavailable", "The feed's watcher does not run.")
    return json_answer({"status": "ready", "held": parts.feed.held})
