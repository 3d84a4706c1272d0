"""The end of a question: each is closed once, with one event, whoever comes together there."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import select

from models import requests as requests_table
from service.config import Settings
from service.db import Database
from service.errors import Problem
from tests import folding
from tests.contract import given as the
from tests.contract.given import responses, status_of
from tests.contract.processes import run_together
from tests.contract.races import race


def answer_seqs(db: Database) -> list[int | None]:
    query = select(requests_table.c.answer_seq).order_by(requests_table.c.id)
    with db.reading() as conn:
        return list(conn.execute(query).scalars())


@pytest.mark.parametrize("end", [the.complete, the.fail, the.end_cancelled])
def test_the_end_of_a_mission_closes_its_questions_before_its_last_event(db, asked, end):
    claimed, first = asked
    second = the.ask(db, claimed, the.question("second"))
    end(db, claimed)
    events = the.events_of(db, claimed.mission_id)
    assert [event["name"] for event in events[-3:-1]] == ["cancelled", "cancelled"]
    assert [event["data"]["request"] for event in events[-3:-1]] == [first, second]
    assert answer_seqs(db) == [event["seq"] for event in events[-3:-1]]
    assert the.request(db, first)["status"] == the.request(db, second)["status"] == "cancelled"
    assert events[-3]["data"]["answer"] is events[-3]["data"]["by"] is None
    assert folding.faults(events) == []


def test_a_handed_over_mission_that_is_cancelled_in_the_queue_closes_its_question(db, asked):
    claimed, request_id = asked
    the.hand_over(db, claimed)
    the.cancel(db, claimed.mission_id)
    assert the.request(db, request_id)["status"] == "cancelled"
    assert folding.faults(the.events_of(db, claimed.mission_id)) == []


def test_a_restart_closes_what_was_asked_and_numbers_the_response(db):
    claimed = the.running(db, on_worker_lost="restart")
    the.ask(db, claimed)
    the.lose(db, claimed)
    [response] = responses(db, claimed)
    assert response["name"] == "cancelled"
    assert answer_seqs(db) == [response["seq"]]


def test_every_closed_request_knows_its_response(db, stopped_clock):
    claimed = the.running(db)
    ids = [the.ask(db, claimed, the.question(str(i)), timeout_s=60 + i) for i in range(4)]
    the.answer(db, ids[2], "Yes.")
    stopped_clock.advance(61)
    the.expire_due(db)
    the.answer(db, ids[3], "Yes.")
    assert dict(zip(ids, answer_seqs(db), strict=True)) == {
        event["data"]["request"]: event["seq"] for event in responses(db, claimed)
    }


def test_a_question_past_its_deadline_expires_once_and_the_mission_goes_on(db, stopped_clock):
    claimed = the.running(db)
    due, later = (
        the.ask(db, claimed, the.question("due"), timeout_s=60),
        the.ask(db, claimed, the.question("later"), timeout_s=120),
    )
    stopped_clock.advance(60)
    assert [the.expire_due(db), the.expire_due(db)] == [1, 0]
    assert status_of(db, claimed) == "waiting"
    stopped_clock.advance(60)
    assert the.expire_due(db) == 1
    assert status_of(db, claimed) == "running"
    assert [(r["name"], r["data"]["request"]) for r in responses(db, claimed)] == [
        ("expired", due),
        ("expired", later),
    ]
    assert responses(db, claimed)[0]["data"]["waited_s"] == 60.0


def test_all_questions_of_all_missions_expire_together(db, stopped_clock):
    claims = [the.running(db) for _ in range(3)]
    for claimed in claims:
        the.ask(db, claimed, the.question("one"))
        the.ask(db, claimed, the.question("two"))
    stopped_clock.advance(301)
    assert the.expire_due(db) == 6
    assert [status_of(db, claimed) for claimed in claims] == ["running"] * 3


# Races


ANSWERERS = 16


def test_of_sixteen_different_answers_one_wins(settings, db, asked):
    claimed, request_id = asked
    crowd = Database(settings, pool_size=ANSWERERS)
    refusals = race(*[partial(the.answer, crowd, request_id, f"{i}") for i in range(ANSWERERS)])
    crowd.close()
    winner = refusals.index(None)
    assert refusals.count(None) == 1
    assert {refused.code for refused in refusals if refused} == {"already_answered"}
    assert {refused.extra["answer"] for refused in refusals if refused} == {str(winner)}
    assert [r["data"]["answer"] for r in responses(db, claimed)] == [str(winner)]
    assert the.take_answer(db, request_id).value == str(winner)


def test_of_sixteen_same_answers_each_gets_through_and_one_is_told(settings, db, asked):
    claimed, request_id = asked
    crowd = Database(settings, pool_size=ANSWERERS)
    answer = partial(the.answer, crowd, request_id, "Yes.")
    with ThreadPoolExecutor(ANSWERERS) as pool:
        outcomes = [f.result() for f in [pool.submit(answer) for _ in range(ANSWERERS)]]
    crowd.close()
    assert [outcome.replayed for outcome in outcomes].count(False) == 1
    assert all(outcome.request == outcomes[0].request for outcome in outcomes)
    assert len(responses(db, claimed)) == 1


def answer_all(settings: Settings, ids: list[int], value: str) -> int:
    """Answer many questions. Returns how many of them this process won."""
    db = Database(settings)
    won = 0
    for request_id in ids:
        with contextlib.suppress(Problem):
            the.answer(db, request_id, value, by=value)
            won += 1
    db.close()
    return won


def test_processes_that_answer_the_same_questions_win_each_once(settings, db):
    claimed = the.running(db)
    ids = [the.ask(db, claimed, the.question(str(i))) for i in range(20)]
    won = run_together([(answer_all, settings, ids, f"process-{i}") for i in range(4)])
    assert sum(won) == len(ids) == len(responses(db, claimed))
    assert status_of(db, claimed) == "running"
    for response in responses(db, claimed):
        assert the.request(db, response["data"]["request"])["answer"] == response["data"]["answer"]


@pytest.mark.parametrize("end", [the.complete, the.hand_over, the.lose, the.end_cancelled])
def test_an_answer_that_meets_the_end_is_taken_or_refused_and_never_half(db, end):
    for _ in range(5):
        claimed = the.running(db)
        request_id = the.ask(db, claimed)
        race(partial(the.answer, db, request_id, "Yes."), partial(end, db, claimed))
        events = the.events_of(db, claimed.mission_id)
        assert folding.faults(events) == []
        assert folding.differences(events, the.mission(db, claimed.mission_id)) == {}
        assert len(responses(db, claimed)) == 1
        if status_of(db, claimed) == "queued":
            the.cancel(db, claimed.mission_id)


def test_an_answer_that_meets_the_deadline_closes_the_question_once(db, stopped_clock):
    for _ in range(5):
        claimed = the.running(db)
        request_id = the.ask(db, claimed)
        stopped_clock.advance(300)
        race(
            partial(the.answer, db, request_id, "Yes."),
            *[partial(the.expire_due, db)] * 3,
        )
        assert [response["name"] for response in responses(db, claimed)] == ["expired"]
        assert status_of(db, claimed) == "running"
