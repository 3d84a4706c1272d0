"""Missions over HTTP: create, list, look, cancel, retry."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from service import logs
from service.api import uploads
from service.api.access import allow, recall
from service.api.answers import json_answer, that_fit
from service.api.parsing import (
    FAULTS_MAX,
    arguments,
    decode,
    fit,
    json_body,
    no_body,
    single,
)
from service.api.services import client_socket, services
from service.api.uploads import Asked
from service.errors import Problem
from service.events.kinds import Kind
from service.feed import cursor
from service.feed.cursor import Filter, integer, misfit, seconds
from service.missions import admission, commands, projects, queries, specs
from service.missions.admission import Idempotency
from service.missions.files import Upload
from service.missions.project_spec import ProjectSpec
from service.missions.spec import TOOLS
from service.missions.specs import Spec
from service.missions.states import Status
from service.security import audit
from service.security.tokens import Access

LIST_DEFAULT, LIST_MAX = 50, 200
KEY = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")

blueprint = Blueprint("missions", __name__, url_prefix="/missions")


@blueprint.post("")
def create() -> Response:
    """A new mission, queued: 201 with its place and itself."""
    access, just_looked_up = recall("run")
    try:
        arguments()
        spec, files, idempotency = _asked_for()
    except Problem:
        if not just_looked_up:
            allow("run", again=True)  # who may not come in is told nothing else
        raise
    at_once = None if files else _created_at_once(access, spec, idempotency)
    if at_once is not None:
        return _created(at_once, replayed=False)
    if not just_looked_up:
        access = allow("run", again=True)
    with _admission(access.workspace_id, idempotency) as (conn, earlier):
        mission = earlier or commands.create(
            conn,
            access.workspace_id,
            _admitted(conn, spec),
            files=files,
            idempotency=idempotency,
            besides=lambda made: _announce(conn, access, made),
        )
    return _created(mission, replayed=bool(earlier))


@blueprint.get("")
def page() -> Response:
    """The workspace's missions, newest first, with the cursor to follow them from."""
    access = allow("read")
    given = single("status", "engine", "project", "q", "limit", "before")
    limit = integer(given, "limit", LIST_DEFAULT, low=1, high=LIST_MAX)
    before = integer(given, "before", cursor.AFTER_MAX, low=1, high=cursor.AFTER_MAX)
    statuses = _statuses(given.get("status"))
    with services().db.reading() as conn:
        missions, as_of, more = queries.page(
            conn,
            access.workspace_id,
            limit=limit,
            before=before,
            statuses=statuses,
            engine=given.get("engine"),
            project=given.get("project"),
            title=given.get("q"),
        )
    carried = that_fit(missions)
    more = more or len(carried) < len(missions)
    return json_answer({"missions": carried, "as_of": as_of, "more": more})


@blueprint.get("/<id:mission_id>")
def one(mission_id: int) -> Response:
    """One mission; with `rev`, held until it has moved on from there."""
    access = allow("read", mission=mission_id)
    given = single("rev", "wait")
    wait_s = seconds(given, "wait", cursor.WAIT_DEFAULT_S)
    rev = integer(given, "rev", -1, low=0, high=cursor.AFTER_MAX)
    mission = services().feed.wait_for(
        lambda: _look(access.workspace_id, mission_id),
        lambda mission: mission["rev"] > rev or Status(mission["status"]).ended,
        changes=Filter(access.workspace_id, missions=(mission_id,), kinds=(Kind.STATUS,)),
        wait_s=wait_s,
        holder=access.token_id,
        sock=client_socket(),
    )
    return json_answer(mission)


@blueprint.post("/<id:mission_id>/cancel")
def cancel(mission_id: int) -> Response:
    """Order a mission to end. Again while it is ending: the same answer, nothing more happens."""
    access = allow("run")
    arguments()
    no_body()
    with services().db.transaction() as conn:
        commands.cancel(conn, access.workspace_id, mission_id)
        audit.note(conn, access, "mission.cancelled", f"mission {mission_id}")
        mission = queries.one(conn, access.workspace_id, mission_id)
    return json_answer(mission)


@blueprint.post("/<id:mission_id>/retry")
def retry(mission_id: int) -> Response:
    """A new mission from this one's spec."""
    access = allow("run")
    arguments()
    no_body()
    idempotency = _idempotency(f"retry {mission_id}".encode())
    with _admission(access.workspace_id, idempotency) as (conn, earlier):
        mission = earlier or commands.retry(
            conn,
            access.workspace_id,
            mission_id,
            idempotency=idempotency,
            besides=lambda made: _announce(conn, access, made),
        )
    return _created(mission, replayed=bool(earlier))


def _created_at_once(
    access: Access, spec: Spec, idempotency: Idempotency | None
) -> dict[str, Any] | None:
    if isinstance(spec, ProjectSpec):
        return None  # it has to be looked up
    return commands.create_at_once(
        services().db,
        access,
        spec,
        job=services().dispatch.job,
        idempotency=idempotency,
        most=services().settings.max_queued,
    )


@contextmanager
def _admission(
    workspace_id: int, idempotency: Idempotency | None
) -> Iterator[tuple[Connection, dict[str, Any] | None]]:
    """A transaction in which a mission may be made, and the one that was made under the key before."""
    lock = None if idempotency is None else idempotency.lock(workspace_id)
    with services().db.transaction(lock=lock) as conn:
        most = services().settings.max_queued
        earlier = admission.check(conn, workspace_id, idempotency, most=most)
        yield conn, None if earlier is None else queries.one(conn, workspace_id, earlier)


def _announce(conn: Connection, access: Access, mission_id: int) -> None:
    services().dispatch.hand_over(conn, mission_id)
    audit.note(conn, access, "mission.created", f"mission {mission_id}")


def _asked_for() -> tuple[Spec, Sequence[Upload], Idempotency | None]:
    """What the body asks for, with its files, and the key that comes with it."""
    asked = _asked()
    body = services().redactor.value(decode(asked.mission))  # a key in a prompt is in every table
    spec = fit(specs.kind_of(body), body)
    _check_runnable(spec, {file.name for file in asked.files})
    return spec, asked.files, _idempotency(asked.digest())


def _asked() -> Asked:
    """The mission as JSON, alone or with files beside it."""
    if request.mimetype == uploads.MULTIPART:
        return uploads.read(services().settings)
    return Asked(json_body())


def _look(workspace_id: int, mission_id: int) -> tuple[dict[str, Any], int]:
    """A mission, and the cursor behind which it may change."""
    with services().db.glance() as conn:
        mission = queries.one(conn, workspace_id, mission_id)
    return mission, mission["as_of"]


def _created(mission: dict[str, Any], *, replayed: bool) -> Response:
    logs.about(mission=mission["id"])
    headers = {"Location": f"/missions/{mission['id']}"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return json_answer(mission, 201, headers=headers)


def _admitted(conn: Connection, spec: Spec) -> Spec:
    """The spec as it is stored: a project's with what is registered under its name."""
    return projects.admit(conn, spec) if isinstance(spec, ProjectSpec) else spec


def _check_runnable(spec: Spec, files: Collection[str]) -> None:
    """What the spec allows and this server, or what came with the mission, does not have."""
    settings = services().settings
    errors = [
        *_unknown("model", spec.model_names(), settings.allowed_models),
        *_unknown("tool", spec.tool_names(), sorted(TOOLS | settings.further_tools)),
        *_unknown("file", _knowledge(spec), sorted(files)),
    ]
    if errors:
        raise Problem("invalid", errors[0]["detail"], errors=errors[:FAULTS_MAX])


def _knowledge(spec: Spec) -> Iterator[tuple[str, str]]:
    """Each file that an agent is to know, with its place."""
    for i, agent in enumerate(spec.agents):
        for j, name in enumerate(agent.knowledge):
            yield f"/agents/{i}/knowledge/{j}", name


def _unknown(
    what: str, named: Iterable[tuple[str, str]], allowed: Sequence[str]
) -> list[dict[str, str]]:
    """What is named and not on the operator's list, each with its place."""
    there_are = ", ".join(allowed) or "none"
    return [
        {"pointer": pointer, "detail": f"there is no {what} {name!r}; there are {there_are}"}
        for pointer, name in named
        if name not in allowed
    ]


def idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not KEY.fullmatch(key):
        raise Problem("invalid", "An Idempotency-Key has 1 … 200 printable characters of ASCII.")
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
