"""Asking: one transaction that stores the question, sets the mission waiting and tells the log."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from models import requests
from service import clock
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.events.text import encode, repair, repair_or_none
from service.missions import transitions
from service.missions.states import Status
from service.requests.question import Question, RequestStatus
from service.requests.view import view

# The request is one event, which has to fit into a page, at up to six bytes a character.
MAX_PROMPT_CHARS = 4_000
MAX_CONTEXT_CHARS = 30_000
MAX_OPTIONS, MAX_OPTION_CHARS = 50, 200


def as_stored(question: Question) -> Question:
    """A question with its texts as the row will have them: repaired, and cut where too long."""
    context, options = question.context, question.options
    return replace(
        question,
        prompt=_bounded(question.prompt, MAX_PROMPT_CHARS),
        context=None if context is None else _bounded(context, MAX_CONTEXT_CHARS),
        options=options and [_bounded(text, MAX_OPTION_CHARS) for text in options[:MAX_OPTIONS]],
    )


def ask(
    conn: Connection,
    mission_id: int,
    question: Question,
    *,
    fence: log.Fence,
    timeout_s: float,
) -> int:
    """Open a request, or find the one that an earlier attempt opened under the same key.

    Returns its id. The question is stored `as_stored`. A found one keeps its text, its deadline and,
    when it has one, its answer.
    Raises LeaseLost.
    """
    mission = transitions.held(conn, mission_id, fence)
    found = conn.execute(
        select(requests.c.id, requests.c.status).where(
            requests.c.mission_id == mission_id, requests.c.key == question.key
        )
    ).one_or_none()
    if found is None:
        return _open(conn, mission, question, fence=fence, timeout_s=timeout_s)
    if found.status == RequestStatus.PENDING:
        _wait(conn, mission, [], fence=fence, request_id=found.id)
    return int(found.id)


def _open(
    conn: Connection, mission: Row[Any], question: Question, *, fence: log.Fence, timeout_s: float
) -> int:
    values = _columns(as_stored(question), timeout_s) | {
        "workspace_id": mission.workspace_id,
        "mission_id": mission.id,
        "attempt": fence.attempt,
        "seq": log.next_seq(conn, mission.workspace_id),
    }
    row = conn.execute(insert(requests).values(values).returning(requests)).one()
    opened = NewEvent(
        Kind.HUMAN_INPUT_REQUEST,
        "opened",
        view(row),
        agent=row.agent,
        task=row.task,
        at_ms=row.asked_ms,
    )
    _wait(conn, mission, [opened], fence=fence, request_id=row.id)
    return int(row.id)


def _wait(
    conn: Connection,
    mission: Row[Any],
    before: list[NewEvent],
    *,
    fence: log.Fence,
    request_id: int,
) -> None:
    if mission.status == Status.RUNNING:
        reason = f"waits for the answer to request {request_id}"
        transitions.move(conn, mission, Status.WAITING, reason=reason, before=before, fence=fence)
    elif before:
        log.append(conn, mission.id, before, fence=fence)


def _columns(question: Question, timeout_s: float) -> dict[str, Any]:
    now = clock.now_ms()
    return {
        "key": question.key,
        "agent": repair_or_none(question.agent),
        "task": repair_or_none(question.task),
        "type": question.type,
        "prompt": question.prompt,
        "context": question.context,
        "options": None if question.options is None else encode(question.options),
        "default": None if question.default is None else encode(question.default),
        "schema": None if question.schema is None else encode(question.schema),
        "status": RequestStatus.PENDING,
        "asked_ms": now,
        "expires_ms": now + int(timeout_s * 1000),
    }


def _bounded(text: str, most: int) -> str:
    text = repair(text)
    return text if len(text) <= most else text[: most - 1] + "…"
