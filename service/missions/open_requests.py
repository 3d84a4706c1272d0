"""Open questions of a mission, and the one way to close them: with exactly one HUMAN_RESPONSE each.

Lies with missions because a mission's end closes its questions; `requests` asks and answers.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from models import requests
from service import clock
from service.events.kinds import Kind, NewEvent
from service.events.text import encode


def pending_ids(conn: Connection, mission_id: int) -> list[int]:
    """Ids of the mission's unanswered requests, oldest first."""
    query = (
        select(requests.c.id)
        .where(requests.c.mission_id == mission_id, requests.c.status == "pending")
        .order_by(requests.c.id)
    )
    return list(conn.execute(query).scalars())


def close(
    conn: Connection, request: Row[Any], status: str, *, answer: Any = None, by: str | None = None
) -> NewEvent | None:
    """Take a pending request to answered, expired or cancelled; its event, still to be appended.

    None when somebody else was first: of any number of concurrent answers one gets the event.
    """
    now = clock.now_ms()
    answered = status == "answered"
    closed = conn.execute(
        update(requests)
        .where(requests.c.id == request.id, requests.c.status == "pending")
        .values(
            status=status,
            answer=encode(answer) if answered else None,
            answered_by=by,
            answered_ms=now if answered else None,
        )
    )
    if closed.rowcount == 0:
        return None
    data = {
        "request": request.id,
        "answer": answer,
        "by": by,
        "waited_s": round((now - request.asked_ms) / 1000, 3),
    }
    return NewEvent(
        Kind.HUMAN_RESPONSE, status, data, agent=request.agent, task=request.task, at_ms=now
    )


def cancel_all(conn: Connection, mission_id: int) -> list[NewEvent]:
    """Close whatever is open, because nobody will read an answer any more."""
    pending = conn.execute(
        select(requests)
        .where(requests.c.mission_id == mission_id, requests.c.status == "pending")
        .order_by(requests.c.id)
    ).all()
    closed = [close(conn, request, "cancelled") for request in pending]
    return [event for event in closed if event is not None]


def number_responses(conn: Connection, batch: Sequence[NewEvent], first_seq: int) -> None:
    """Note in each closed request the seq that its HUMAN_RESPONSE in this batch got."""
    for i, event in enumerate(batch):
        if event.kind is Kind.HUMAN_RESPONSE:
            conn.execute(
                update(requests)
                .where(requests.c.id == event.data["request"])
                .values(answer_seq=first_seq + i)
            )
