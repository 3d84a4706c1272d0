"""Answering and expiring: whoever is first closes the request, and the agent goes on."""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, select, update

from models import requests
from service import clock
from service.errors import Problem
from service.events import log
from service.events.kinds import NewEvent
from service.events.text import decode, encode
from service.missions import open_requests, transitions
from service.missions.states import Status
from service.requests import fitting
from service.requests.question import RequestStatus
from service.requests.view import one, view


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request as it stands after an answer, and whether that answer was there before."""

    request: dict[str, Any]
    replayed: bool


def answer(
    conn: Connection, workspace_id: int, request_id: int, value: Any, *, by: str, key: str | None
) -> Outcome:
    """Give the answer. In the outcome, `seq` is that of the HUMAN_RESPONSE event.

    key: the client's Idempotency-Key. Raises Problem not_found, invalid, already_answered,
    request_expired, mission_ended.
    """
    mission_id = one(conn, workspace_id, request_id).mission_id
    mission = transitions.lock(conn, mission_id)
    request = one(conn, workspace_id, request_id)  # again, now that nobody else may change it
    if mission is None:
        raise Problem("not_found", f"There is no request {request_id}.")
    if request.status == RequestStatus.ANSWERED:
        return _again(request, value, key)
    _check_open(mission, request)
    fitting.check(request, value)
    event = open_requests.close(conn, request, RequestStatus.ANSWERED, answer=value, by=by)
    if event is None:
        raise Problem("already_answered")
    conn.execute(update(requests).where(requests.c.id == request_id).values(answer_key=key))
    _tell(conn, mission, event, reason=f"request {request_id} was answered")
    return Outcome(_answered(one(conn, workspace_id, request_id)), replayed=False)


def _check_open(mission: Row[Any], request: Row[Any]) -> None:
    overdue = request.expires_ms <= clock.now_ms()
    if Status(mission.status).ended and request.status != RequestStatus.EXPIRED:
        raise Problem("mission_ended", f"The mission is {mission.status}.", status=mission.status)
    if request.status != RequestStatus.PENDING or overdue:
        raise Problem("request_expired", expired_at=view(request)["expires_at"])


def due(conn: Connection) -> list[int]:
    """Ids of the questions that are past their deadline and still open."""
    return list(conn.execute(select(requests.c.id).where(overdue())).scalars())


def overdue() -> ColumnElement[bool]:
    """That a question is past its deadline and still open."""
    return and_(requests.c.status == RequestStatus.PENDING, requests.c.expires_ms <= clock.now_ms())


def expire(conn: Connection, request_id: int) -> bool:
    """Close a question that is past its deadline. Whether it was still open.

    One in a transaction: each locks its mission and then the workspace, and whoever holds the
    workspace must not want another mission.
    """
    asked = select(requests).where(requests.c.id == request_id)
    mission = transitions.lock(conn, conn.execute(asked).one().mission_id)
    event = open_requests.close(conn, conn.execute(asked).one(), RequestStatus.EXPIRED)
    if mission is None or event is None:
        return False
    _tell(conn, mission, event, reason=f"nobody answered request {request_id}")
    return True


def _tell(conn: Connection, mission: Row[Any], event: NewEvent, *, reason: str) -> None:
    """Append the HUMAN_RESPONSE, and set the mission running when nothing else is open."""
    waits_on = open_requests.pending_ids(conn, mission.id)
    if mission.status == Status.WAITING and not waits_on:
        transitions.move(conn, mission, Status.RUNNING, reason=reason, before=[event])
    else:
        seq = log.append(conn, mission.id, [event], fence=None).first_seq
        open_requests.number_responses(conn, [event], seq)


def _again(request: Row[Any], value: Any, key: str | None) -> Outcome:
    """An answer to an answered request: the same one, or the same client's, is no conflict."""
    same_client = key is not None and key == request.answer_key
    if same_client or _canonical(encode(value)) == _canonical(request.answer):
        return Outcome(_answered(request), replayed=True)
    seen = view(request)
    raise Problem(
        "already_answered",
        f"Answered by {request.answered_by}.",
        answer=seen["answer"],
        answered_by=seen["answered_by"],
        answered_at=seen["answered_at"],
    )


def _canonical(text: str) -> bytes:
    """JSON that is equal when the values are; Python would hold true and 1 to be the same."""
    return orjson.dumps(decode(text), option=orjson.OPT_SORT_KEYS)


def _answered(request: Row[Any]) -> dict[str, Any]:
    return {**view(request), "seq": request.answer_seq}
