"""Missions over HTTP: create, list, look, cancel, retry."""

from typing import Any

from flask import Blueprint, Response, request

from service.api.access import allow
from service.api.answers import json_answer
from service.api.parsing import arguments, decode, fit, json_body
from service.api.services import Services, services
from service.errors import Problem
from service.events.kinds import Kind
from service.feed import cursor
from service.feed.cursor import Filter, integer, misfit, seconds
from service.missions import commands, queries
from service.missions.commands import Idempotency
from service.missions.spec import MissionSpec
from service.missions.states import Status

LIST_DEFAULT, LIST_MAX = 50, 200
KEY_MAX_CHARS = 200

blueprint = Blueprint("missions", __name__, url_prefix="/missions")


@blueprint.post("")
def create() -> Response:
    """A new mission, queued: 201 with its place and itself."""
    access = allow("run")
    arguments()
    content = json_body()
    spec = fit(MissionSpec, decode(content))
    _check_runnable(spec)
    idempotency = _idempotency(content)
    with services().db.transaction() as conn:
        earlier = idempotency and commands.find_replay(conn, access.workspace_id, idempotency)
        mission_id = earlier or commands.create(
            conn, access.workspace_id, spec, idempotency=idempotency
        )
        mission = queries.one(conn, access.workspace_id, mission_id)
    return _created(mission, replayed=bool(earlier))


@blueprint.get("")
def page() -> Response:
    """The workspace's missions, newest first, with the cursor to follow them from."""
    access = allow("read")
    given = {name: values[-1] for name, values in arguments("status", "limit", "before").items()}
    limit = integer(given, "limit", LIST_DEFAULT, low=1, high=LIST_MAX)
    before = integer(given, "before", cursor.AFTER_MAX, low=1, high=cursor.AFTER_MAX)
    statuses = _statuses(given.get("status"))
    with services().db.reading() as conn:
        missions, as_of, more = queries.page(
            conn, access.workspace_id, limit=limit, before=before, statuses=statuses
        )
    return json_answer({"missions": missions, "as_of": as_of, "more": more})


@blueprint.get("/<id:mission_id>")
def one(mission_id: int) -> Response:
    """One mission; with `rev`, held until it has moved on from there."""
    access = allow("read")
    given = {name: values[-1] for name, values in arguments("rev", "wait").items()}
    wait_s = seconds(given, "wait", cursor.WAIT_DEFAULT_S if "rev" in given else 0.0)
    rev = integer(given, "rev", 0, low=0, high=cursor.AFTER_MAX)
    mission = _look(services(), access.workspace_id, mission_id)
    if "rev" in given and mission["rev"] <= rev and not Status(mission["status"]).ended:
        changes = Filter(access.workspace_id, missions=(mission_id,), kinds=(Kind.STATUS,))
        socket = request.environ.get("gunicorn.socket")
        services().feed.wait_for_change(changes, mission["as_of"], wait_s, socket)
        mission = _look(services(), access.workspace_id, mission_id)
    return json_answer(mission)


@blueprint.post("/<id:mission_id>/cancel")
def cancel(mission_id: int) -> Response:
    """Order a mission to end. Again while it is ending: the same answer, nothing more happens."""
    access = allow("run")
    arguments()
    with services().db.transaction() as conn:
        commands.cancel(conn, access.workspace_id, mission_id)
        mission = queries.one(conn, access.workspace_id, mission_id)
    return json_answer(mission)


@blueprint.post("/<id:mission_id>/retry")
def retry(mission_id: int) -> Response:
    """A new mission from this one's spec."""
    access = allow("run")
    arguments()
    with services().db.transaction() as conn:
        made = commands.retry(conn, access.workspace_id, mission_id)
        mission = queries.one(conn, access.workspace_id, made)
    return _created(mission, replayed=False)


def _look(parts: Services, workspace_id: int, mission_id: int) -> dict[str, Any]:
    with parts.db.reading() as conn:
        return queries.one(conn, workspace_id, mission_id)


def _created(mission: dict[str, Any], *, replayed: bool) -> Response:
    headers = {"Location": f"/missions/{mission['id']}"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return json_answer(mission, 201, headers=headers)


def _check_runnable(spec: MissionSpec) -> None:
    """What the spec allows and this server does not have."""
    if spec.engine != "crewai":
        raise Problem("engine_unavailable", f"This server does not run the engine {spec.engine}.")
    allowed = services().settings.allowed_models
    errors = [
        {
            "pointer": pointer,
            "detail": f"there is no model {name!r}; there are {', '.join(allowed)}",
        }
        for pointer, name in spec.model_names()
        if name not in allowed
    ]
    if errors:
        raise Problem("invalid", errors[0]["detail"], errors=errors)


def idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= KEY_MAX_CHARS:
        raise Problem("invalid", f"An Idempotency-Key has 1 … {KEY_MAX_CHARS} characters.")
    return key


def _idempotency(content: bytes) -> Idempotency | None:
    key = idempotency_key()
    return None if key is None else Idempotency.of(key, content)


def _statuses(text: str | None) -> list[str]:
    names = [] if text is None else text.split(",")
    for name in names:
        if name not in list(Status):
            raise misfit("status", f"does not know {name!r}; there are {', '.join(Status)}")
    return names
