"""Waiting for a human, from the agent's thread: looks at the row, holds no connection meanwhile."""

import time
from collections.abc import Callable

from sqlalchemy import select, update

from models import requests
from service import clock
from service.db import Database
from service.events.text import decode
from service.requests.answering import expire
from service.requests.question import Answer, RequestStatus

STEP_S = 0.1  # an agent goes on within 250 ms of the answer
# Somebody may answer at once, and who looks for many does not know yet that one more waits.
EAGER_S = 3.0
# Behind that, where somebody looks for many: two hundred that wait and each look ten times a second
# are more than two cores.
SELDOM_S = 5.0


def wait_for_answer(
    db: Database,
    request_id: int,
    *,
    check: Callable[[], None],
    told: Callable[[], float] = time.monotonic,
) -> Answer:
    """Block until the request is answered or past its deadline; marks the answer as read.

    check: called at every step, and may raise to stop waiting; the request then stays open.
    told: changes when somebody else has seen that something happened to the mission; without it
    the row is looked at in every step.
    Blocks a thread: for the worker, never for the web process.
    """
    eager_until = time.monotonic() + EAGER_S
    before = told()  # ahead of each look: what happens behind it makes another one
    while (answer := _look(db, request_id)) is None:
        look_at = time.monotonic() + (SELDOM_S if time.monotonic() >= eager_until else STEP_S)
        now_told = before
        while now_told == before and time.monotonic() < look_at:
            check()
            time.sleep(STEP_S)
            now_told = told()
        before = now_told
    return answer


def _look(db: Database, request_id: int) -> Answer | None:
    with db.glance() as conn:
        row = conn.execute(select(requests).where(requests.c.id == request_id)).one()
    if row.status == RequestStatus.PENDING:
        if row.expires_ms <= clock.now_ms():
            with db.transaction() as conn:
                expire(conn, request_id)
        return None
    if row.status == RequestStatus.CANCELLED:
        return None  # the mission is ending: `check` says so in a moment
    if row.read_ms is None:
        _mark_read(db, request_id)
    return Answer(
        RequestStatus(row.status),
        decode(row.answer),
        row.answered_by,
        row.prompt,
        row.context,
        decode(row.default),
    )


def _mark_read(db: Database, request_id: int) -> None:
    with db.transaction() as conn:
        conn.execute(
            update(requests).where(requests.c.id == request_id).values(read_ms=clock.now_ms())
        )
