"""Waiting for an answer in the agent's thread."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from service.db import Database
from service.requests import waiting
from service.requests.question import Answer, Question, RequestStatus
from tests.contract import given as the
from tests.contract.given import responses, status_of

GONE_ON_WITHIN_S = 0.25  # after the answer, by the contract
DEADLINE_S = 60.0


class Stopped(Exception):
    """The attempt must end."""


def waits(db: Database, request_id: int) -> tuple[Future[tuple[Answer, float]], threading.Event]:
    """A thread that waits: its answer and when it went on, and the event that it has looked."""
    looked = threading.Event()

    def run() -> tuple[Answer, float]:
        answer = waiting.wait_for_answer(db, request_id, check=looked.set)
        return answer, time.monotonic()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(run)
    pool.shutdown(wait=False)
    return future, looked


def test_the_agent_goes_on_as_soon_as_there_is_an_answer(db):
    """One of ten, for the machine may be busy with other things."""
    claimed = the.running(db)

    def delay(key: str) -> float:
        request_id = the.ask(db, claimed, the.question(key))
        future, looked = waits(db, request_id)
        assert looked.wait(DEADLINE_S)
        answered = time.monotonic()
        the.answer(db, request_id, "Yes.", by="Ann")
        answer, went_on = future.result(DEADLINE_S)
        assert (answer.status, answer.value, answer.by) == (RequestStatus.ANSWERED, "Yes.", "Ann")
        return went_on - answered

    assert any(delay(str(n)) < GONE_ON_WITHIN_S for n in range(10))


def test_the_answer_is_marked_as_read_when_the_agent_takes_it(db, asked):
    _claimed, request_id = asked
    the.answer(db, request_id, "Yes.")
    assert the.request(db, request_id)["read_at"] is None
    the.take_answer(db, request_id)
    read_at = the.request(db, request_id)["read_at"]
    assert read_at is not None
    the.take_answer(db, request_id)
    assert the.request(db, request_id)["read_at"] == read_at


def test_the_agent_gets_the_question_as_the_human_saw_it(db, asked):
    claimed, request_id = asked
    the.answer(db, request_id, "Yes.")
    the.lose(db, claimed)
    the.ask(db, the.claim(db), Question("review", "Another prompt", context="Another draft"))
    answer = the.take_answer(db, request_id)
    assert (answer.prompt, answer.context) == ("Is this draft right?", None)


def test_waiting_expires_its_own_question(db, stopped_clock):
    claimed = the.running(db)
    request_id = the.ask(db, claimed, the.question(default="Go on."))
    stopped_clock.advance(301)
    answer = the.take_answer(db, request_id)
    assert (answer.status, answer.value, answer.default) == (
        RequestStatus.EXPIRED,
        None,
        "Go on.",
    )
    assert status_of(db, claimed) == "running"
    assert [response["name"] for response in responses(db, claimed)] == ["expired"]


def test_waiting_ends_with_what_the_check_raises_and_leaves_the_question_open(db, asked):
    claimed, request_id = asked

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        waiting.wait_for_answer(db, request_id, check=stop)
    assert the.request(db, request_id)["status"] == "pending"
    assert status_of(db, claimed) == "waiting"
    the.answer(db, request_id, "Yes.")


def test_a_cancelled_question_has_no_answer_and_waiting_ends_by_the_check(db, asked):
    claimed, request_id = asked
    the.end_cancelled(db, claimed)

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        waiting.wait_for_answer(db, request_id, check=stop)
    assert the.request(db, request_id)["read_at"] is None


def test_who_waits_holds_no_connection(db, settings, asked):
    _claimed, request_id = asked
    one_connection = Database(settings, pool_size=1)
    future, looked = waits(one_connection, request_id)
    assert looked.wait(DEADLINE_S)
    the.answer(one_connection, request_id, "Yes.")  # on the only connection there is
    assert future.result(DEADLINE_S)[0].value == "Yes."
    one_connection.close()


def test_who_is_told_of_news_looks_seldom_without_and_at_once_with_them(db, asked, monkeypatch):
    monkeypatch.setattr(waiting, "EAGER_S", 0.0)
    monkeypatch.setattr(waiting, "SELDOM_S", DEADLINE_S)
    monkeypatch.setattr(waiting, "STEP_S", 0.0)
    looks, steps = [], []
    look = waiting._look
    monkeypatch.setattr(
        waiting, "_look", lambda *given: (looks.append(len(steps)), look(*given))[1]
    )
    _claimed, request_id = asked

    def check():
        steps.append("one")
        if len(steps) == 50:
            the.answer(db, request_id, "Yes.")

    told = waiting.wait_for_answer(
        db, request_id, check=check, told=lambda: float(len(steps) >= 100)
    )
    assert told.value == "Yes."
    assert looks == [0, 100]
