"""Questions to humans over HTTP: the inbox, one question, its answer."""

from typing import Any

import orjson
from flask import Blueprint, Response, redirect, request

from service.api.access import allow
from service.api.answers import json_answer
from service.api.missions import idempotency_key
from service.api.parsing import arguments, body, decode, fit
from service.api.services import services
from service.errors import Problem
from service.events.kinds import Kind
from service.feed import cursor
from service.feed.cursor import Filter, integer, misfit, seconds
from service.missions import queries
from service.missions.spec import Strict
from service.requests import answering, view
from service.requests.question import RequestStatus

INBOX_MAX = 200
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

blueprint = Blueprint("requests", __name__, url_prefix="/requests")


class AnswerBody(Strict):
    """The body of an answer. What fits depends on the question's type."""

    answer: Any


@blueprint.get("")
def inbox() -> Response:
    """Questions over all missions, newest first, with the cursor to follow them from."""
    access = allow("read")
    known = arguments("status", "mission", "limit")
    given = {name: values[-1] for name, values in known.items()}
    limit = integer(given, "limit", INBOX_MAX, low=1, high=INBOX_MAX)
    statuses = _statuses(given.get("status"))
    mission = integer(given, "mission", 0, low=1, high=cursor.AFTER_MAX)
    with services().db.reading() as conn:
        if mission:
            queries.require(conn, access.workspace_id, [mission])
        found, as_of = view.inbox(
            conn,
            access.workspace_id,
            limit=limit,
            statuses=statuses,
            mission_ids=[mission] if mission else [],
        )
    return json_answer({"requests": found, "as_of": as_of})


@blueprint.get("/<id:request_id>")
def one(request_id: int) -> Response:
    """One question; with `wait`, held while nobody has answered it."""
    access = allow("read")
    given = {name: values[-1] for name, values in arguments("wait").items()}
    wait_s = seconds(given, "wait", 0.0)
    found, as_of = _look(access.workspace_id, request_id)
    if wait_s and found["status"] == RequestStatus.PENDING:
        changes = Filter(
            access.workspace_id, missions=(found["mission"],), kinds=(Kind.HUMAN_RESPONSE,)
        )
        socket = request.environ.get("gunicorn.socket")
        services().feed.wait_for_change(changes, as_of, wait_s, socket)
        found, _ = _look(access.workspace_id, request_id)
    return json_answer(found)


@blueprint.post("/<id:request_id>")
def answer(request_id: int) -> Response:
    """The answer: JSON, or a plain HTML form, which is sent on to the mission's page."""
    access = allow("answer")
    arguments()
    is_form = request.mimetype in FORMS
    value = _form_answer() if is_form else _json_answer()
    with services().db.transaction() as conn:
        outcome = answering.answer(
            conn,
            access.workspace_id,
            request_id,
            value,
            by=access.name,
            key=idempotency_key(),
        )
    if is_form:
        return _see_mission(outcome.request["mission"])
    headers = {"Idempotency-Replayed": "true"} if outcome.replayed else None
    return json_answer(outcome.request, headers=headers)


def _look(workspace_id: int, request_id: int) -> tuple[dict[str, Any], int]:
    """A question and a cursor that lies before every event that could still change it."""
    with services().db.reading() as conn:
        row = view.one(conn, workspace_id, request_id)
        return view.view(row), row.seq


def _json_answer() -> Any:
    if request.mimetype != "application/json":
        raise Problem("unsupported_media_type", "Send JSON, or an HTML form.")
    return fit(AnswerBody, decode(body())).answer


def _form_answer() -> Any:
    """A form has `answer`; or, for an approval, `decision` with `comment` and `args` as JSON."""
    form = request.form.to_dict()
    unknown = sorted(set(form) - {"answer", "decision", "comment", "args"})
    if unknown:
        raise Problem("unknown_field", f"{unknown[0]!r} is not known.", field=unknown[0])
    if "decision" not in form:
        return form.get("answer", "")
    given = {name: form[name] for name in ("decision", "comment") if form.get(name)}
    args = form.get("args")
    return given | ({"args": _arguments(args)} if args else {})


def _arguments(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise misfit("args", "must be JSON") from None


def _see_mission(mission_id: int) -> Response:
    response = redirect(f"/m/{mission_id}", 303)
    return Response(response.get_data(), 303, headers=response.headers)


def _statuses(text: str | None) -> list[str]:
    names = [] if text is None else text.split(",")
    for name in names:
        if name not in list(RequestStatus):
            raise misfit("status", f"does not know {name!r}; there are {', '.join(RequestStatus)}")
    return names
