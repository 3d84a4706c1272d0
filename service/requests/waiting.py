"""Waiting for a human, from the agent's thread: polls the row, holds no connection meanwhile."""

import time
from collections.abc import Callable

from sqlalchemy import select, update

from models import requests
from service import clock
from service.db import Database
from service.events.text import decode
from service.requests.answering import expire
from service.requests.question import Answer, RequestStatus

POLL_S = 0.1  # an agent goes on within 250 ms of the answer; 10 indexed reads a second are nothing


def wait_for_answer(db: Database, request_id: int, *, check: Callable[[], None]) -> Answer:
    """Block until the request is answered or past its deadline; marks the answer as read.

    check: called at every look, and may raise to stop waiting; the request then stays open.
    Blocks a thread: for the worker, never for the web process.
    """
    while (answer := _look(db, request_id)) is None:
        check()
        time.sleep(POLL_S)
    return answer


def _look(db: Database, request_id: int) -> Answer | None:
    with db.reading() as conn:
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
