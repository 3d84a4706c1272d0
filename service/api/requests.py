"""Questions to humans over HTTP: the inbox, one question, its answer."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from service.api.access import allow
from service.api.answers import json_answer, see_other, that_fit
from service.api.missions import idempotency_key
from service.api.parsing import FORM, arguments, decode, fit, form_body, json_body, single
from service.api.services import client_socket, services
from service.errors import Problem
from service.events import log
from service.events.kinds import Kind
from service.feed import cursor
from service.feed.cursor import Filter, integer, misfit, seconds
from service.missions import queries
from service.missions.spec import Strict
from service.requests import answering, view
from service.requests.question import RequestStatus
from service.security import audit, tokens
from service.security.tokens import Access

INBOX_MAX = 200

blueprint = Blueprint("requests", __name__, url_prefix="/requests")


class AnswerBody(Strict):
    """The body of an answer. What fits depends on the question's type."""

    answer: Any


class DecisionForm(Strict):
    """The fields of an HTML form that decides on a tool call. args: JSON text, empty for none."""

    decision: str
    comment: str = ""
    args: str = ""


@blueprint.get("")
def inbox() -> Response:
    """Questions over all missions, newest first, with the cursor to follow them from."""
    mission = request.args.get("mission", "")
    access = allow("read", mission=int(mission) if cursor.DIGITS.fullmatch(mission) else None)
    given = single("status", "mission", "limit")
    limit = integer(given, "limit", INBOX_MAX, low=1, high=INBOX_MAX)
    statuses = _statuses(given.get("status"))
    only = integer(given, "mission", 0, low=1, high=cursor.AFTER_MAX)
    with services().db.reading() as conn:
        if only:
            queries.require(conn, access.workspace_id, [only])
        found, as_of = view.inbox(
            conn,
            access.workspace_id,
            limit=limit,
            statuses=statuses,
            mission_ids=[only] if only else [],
        )
    return json_answer({"requests": that_fit(found), "as_of": as_of})


@blueprint.get("/<id:request_id>")
def one(request_id: int) -> Response:
    """One question; with `wait`, held while nobody has answered it."""
    access = allow("read", request_id=request_id)
    wait_s = seconds(single("wait"), "wait", 0.0)
    found = services().feed.wait_for(
        lambda: _look(access.workspace_id, request_id),
        lambda found: found["status"] != RequestStatus.PENDING,
        changes=Filter(access.workspace_id, kinds=(Kind.HUMAN_RESPONSE,)),
        wait_s=wait_s,
        holder=access.token_id,
        sock=client_socket(),
    )
    return json_answer(found)


@blueprint.post("/<id:request_id>")
def answer(request_id: int) -> Response:
    """The answer: JSON, or a plain HTML form, which is sent on to the mission's page."""
    access = allow("answer", request_id=request_id)
    arguments()
    is_form = request.mimetype == FORM
    value = services().redactor.value(_form_answer() if is_form else _json_answer())
    with services().db.transaction() as conn:
        outcome = answering.answer(
            conn,
            access.workspace_id,
            request_id,
            value,
            by=access.name,
            key=idempotency_key(),
        )
        if not outcome.replayed:
            note_answer(conn, access, request_id)
    if is_form:
        return see_other(f"/m/{outcome.request['mission']}")
    headers = {"Idempotency-Replayed": "true"} if outcome.replayed else None
    return json_answer(outcome.request, headers=headers)


def note_answer(conn: Connection, access: Access, request_id: int) -> None:
    """Write down who answered. A link to a question is for one answer, and ends with it."""
    audit.note(conn, access, "request.answered", f"request {request_id}")
    if access.is_link and access.token_id is not None:
        tokens.revoke(conn, access.token_id)


def _look(workspace_id: int, request_id: int) -> tuple[dict[str, Any], int]:
    """A question, and the cursor behind which it may change."""
    with services().db.reading() as conn:
        as_of = log.head(conn, workspace_id).head
        return view.view(view.one(conn, workspace_id, request_id)), as_of


def _json_answer() -> Any:
    return fit(AnswerBody, decode(json_body())).answer


def _form_answer() -> Any:
    form = form_body()
    if "decision" not in form:
        return fit(AnswerBody, form).answer
    decision = fit(DecisionForm, form)
    value = decision.model_dump(include={"decision", "comment"}, exclude_defaults=True)
    return value | ({"args": _json_field("args", decision.args)} if decision.args else {})


def _json_field(name: str, text: str) -> Any:
    try:
        return decode(text)
    except Problem:
        raise misfit(name, "must be JSON") from None


def _statuses(text: str | None) -> list[str]:
    names = [] if text is None else text.split(",")
    for name in names:
        if name not in list(RequestStatus):
            raise misfit("status", f"does not know {name!r}; there are {', '.join(RequestStatus)}")
    return names
