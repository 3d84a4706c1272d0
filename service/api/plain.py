"""The pages without scripts: the missions, one of them, and its questions as forms. Rendered here, refreshing."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from service.api import transcript
from service.api.access import allow, signed_in
from service.api.answers import see_other
from service.api.pages import to_login
from service.api.parsing import decode, form_body
from service.api.requests import note_answer
from service.api.services import services
from service.api.static import rendered
from service.errors import Problem
from service.missions import files, queries
from service.missions.states import Status
from service.requests import answering, view
from service.security.tokens import Access

REFRESH_S = 5
LISTED = 50

blueprint = Blueprint("plain", __name__)


@blueprint.get("/plain")
def missions() -> Response:
    """The newest missions, and the questions that wait."""
    if not signed_in():
        return to_login()
    access = allow("read")
    with services().db.reading() as conn:
        found, _as_of, _more = queries.page(conn, access.workspace_id, limit=LISTED)
        asked, _as_of = view.inbox(conn, access.workspace_id, limit=LISTED, statuses=["pending"])
    return rendered("templates/missions.html", missions=found, requests=asked, refresh_s=REFRESH_S)


@blueprint.get("/m/<id:mission_id>/plain")
def mission(mission_id: int) -> Response:
    """One mission as it stands now."""
    return _mission(mission_id) if signed_in() else to_login()


@blueprint.post("/m/<id:mission_id>/plain")
def answer(mission_id: int) -> Response:
    """An answer from that page. What it is refused for is told on the page, above the form."""
    access = allow("answer")
    form = form_body()
    try:
        with services().db.transaction() as conn:
            asked = _asked(conn, access.workspace_id, mission_id, form)
            _give(conn, access, asked, form)
    except Problem as problem:
        return _mission(mission_id, problem, draft=form)
    return see_other(request.path)


@blueprint.get("/q/<id:request_id>")
def question(request_id: int) -> Response:
    """One question, for who has a link to it and nothing else."""
    return _question(request_id) if signed_in() else to_login()


@blueprint.post("/q/<id:request_id>")
def answer_question(request_id: int) -> Response:
    """Its answer. The page is told at once: the link that led here has ended with it."""
    access = allow("answer", request_id=request_id)
    form = form_body()
    try:
        with services().db.transaction() as conn:
            asked = view.view(view.one(conn, access.workspace_id, request_id))
            _give(conn, access, asked, form)
            asked = view.view(view.one(conn, access.workspace_id, request_id))
    except Problem as problem:
        return _question(request_id, problem, draft=form)
    return rendered("templates/question.html", request=asked)


def _give(conn: Connection, access: Access, asked: dict[str, Any], form: dict[str, str]) -> None:
    value = services().redactor.value(_value(asked["type"], form))
    outcome = answering.answer(
        conn, access.workspace_id, asked["id"], value, by=access.name, key=None
    )
    if not outcome.replayed:
        note_answer(conn, access, asked["id"])


def _question(
    request_id: int, problem: Problem | None = None, draft: dict[str, str] | None = None
) -> Response:
    access = allow("read", request_id=request_id)
    with services().db.reading() as conn:
        asked = view.view(view.one(conn, access.workspace_id, request_id))
    status = problem.declared.status if problem else 200
    return rendered(
        "templates/question.html", status, request=asked, problem=problem, draft=draft or {}
    )


def _asked(
    conn: Connection, workspace_id: int, mission_id: int, form: dict[str, str]
) -> dict[str, Any]:
    text = form.get("request", "")
    request_id = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
    asked = view.view(view.one(conn, workspace_id, request_id))
    if asked["mission"] != mission_id:
        raise Problem("not_found", "This mission has no such question.")
    return asked


def _value(kind: str, form: dict[str, str]) -> Any:
    """The answer that the fields of a form mean."""
    if kind == "form":
        return decode(form.get("answer", ""))
    if kind != "approval":
        return form.get("answer", "")
    value: dict[str, Any] = {"decision": form.get("decision", "")}
    if form.get("comment"):
        value["comment"] = form["comment"]
    if value["decision"] == "edit":
        value["args"] = decode(form.get("args", ""))
    return value


def _mission(
    mission_id: int, problem: Problem | None = None, draft: dict[str, str] | None = None
) -> Response:
    access = allow("read", mission=mission_id)
    workspace_id = access.workspace_id
    with services().db.reading() as conn:
        found = queries.one(conn, workspace_id, mission_id)
        asked, _as_of = view.inbox(
            conn, workspace_id, limit=LISTED, statuses=["pending"], mission_ids=[mission_id]
        )
        paragraphs, cut = transcript.read(conn, workspace_id, mission_id)
        kept = files.of_mission(conn, mission_id)
    # A page that comes anew takes with it what somebody is writing.
    still = bool(asked) or bool(problem) or Status(found["status"]).ended
    return rendered(
        "templates/mission.html",
        problem.declared.status if problem else 200,
        mission=found,
        requests=asked,
        paragraphs=paragraphs,
        cut=cut,
        files=kept,
        problem=problem,
        draft=draft or {},
        refresh_s=None if still else REFRESH_S,
    )
