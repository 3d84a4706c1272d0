"""Answers over HTTP: who may answer a question how, and when."""

import pytest

from service.requests import waiting
from tests.api.asking import QUESTIONS, answer, ask, responses, submit
from tests.api.server import pointers, problem
from tests.contract import given as the


def test_the_first_answer_is_taken(server):
    ask(server)
    before = server.get("/requests/1").get_json()
    response = answer(server, "Make it shorter.")
    given = response.get_json()
    [event] = responses(server)
    assert response.status_code == 200
    assert "Idempotency-Replayed" not in response.headers
    assert given == before | {
        "seq": event["seq"],
        "status": "answered",
        "answer": "Make it shorter.",
        "answered_by": "local",
        "answered_at": event["at"],
    }
    assert event["data"] == {
        "request": 1,
        "answer": "Make it shorter.",
        "by": "local",
        "waited_s": event["data"]["waited_s"],
    }
    assert server.get("/missions/1").get_json()["status"] == "running"
    assert server.get("/requests/1").get_json()["seq"] == before["seq"]


def test_the_time_is_noted_when_the_agent_takes_the_answer(server):
    ask(server)
    answer(server, "yes")
    assert server.get("/requests/1").get_json()["read_at"] is None
    waiting.wait_for_answer(server.db, 1, check=lambda: None)
    asked = server.get("/requests/1").get_json()
    assert asked["read_at"] >= asked["answered_at"]


def test_the_same_answer_again_is_a_replay(server):
    ask(server)
    first, again = answer(server, "yes"), answer(server, "yes")
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(responses(server)) == 1


def test_the_same_answer_is_the_same_value_and_not_the_same_bytes(server):
    ask(server, QUESTIONS["form"])
    answer(server, {"tone": "calm", "words": 1})
    again = server.request(
        "POST",
        "/requests/1",
        data=b'{ "answer": {"words": 1, "tone": "\\u0063alm"} }',
        content_type="application/json",
    )
    assert again.headers["Idempotency-Replayed"] == "true"
    problem(answer(server, {"tone": "calm", "words": True}), 409, "already_answered")


def test_the_same_key_again_is_a_replay_whatever_it_says(server):
    ask(server)
    first = answer(server, "yes", **{"Idempotency-Key": "k1"})
    again = answer(server, "no", **{"Idempotency-Key": "k1"})
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(responses(server)) == 1


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k2"}])
def test_another_answer_is_told_who_was_first_with_what_and_when(server, headers):
    ask(server)
    ann = server.token("answer")
    given = answer(server, "yes", **ann, **{"Idempotency-Key": "k1"}).get_json()
    body = problem(
        answer(server, "no", **server.token("answer"), **headers), 409, "already_answered"
    )
    assert {name: body[name] for name in ("answer", "answered_by", "answered_at")} == {
        "answer": "yes",
        "answered_by": "Ann",
        "answered_at": given["answered_at"],
    }


def test_a_late_answer_is_refused(server):
    ask(server, timeout_s=0)
    overdue = problem(answer(server, "yes"), 410, "request_expired")
    assert overdue["expired_at"] == server.get("/requests/1").get_json()["expires_at"]
    the.expire_due(server.db)
    problem(answer(server, "yes"), 410, "request_expired")
    [event] = responses(server)
    assert (event["name"], event["data"]["answer"], event["data"]["by"]) == ("expired", None, None)


def test_an_answer_to_an_ended_mission_is_refused(server):
    claimed = the.running(server.db)
    the.ask(server.db, claimed)
    the.end_cancelled(server.db, claimed)
    problem(answer(server, "yes"), 409, "mission_ended")
    assert server.get("/requests/1").get_json()["status"] == "cancelled"
    assert [event["name"] for event in responses(server)] == ["cancelled"]


def test_an_answer_that_was_taken_stays_so_when_the_mission_has_ended(server):
    claimed = the.running(server.db)
    the.ask(server.db, claimed)
    answer(server, "yes")
    the.complete(server.db, claimed)
    assert answer(server, "yes").headers["Idempotency-Replayed"] == "true"
    problem(answer(server, "no"), 409, "already_answered")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "yes"),
        ("text", ""),
        ("text", "☀️ \u2028 \t"),
        ("choice", "b"),
        ("approval", {"decision": "approve"}),
        ("approval", {"decision": "reject", "comment": "too risky"}),
        ("approval", {"decision": "edit", "args": {"expression": "7*6"}}),
        ("form", {"tone": "calm"}),
        ("form", {"tone": "bold", "words": 40}),
    ],
)
def test_an_answer_that_fits_its_question_is_taken(server, kind, value):
    ask(server, QUESTIONS[kind])
    response = answer(server, value)
    assert (response.status_code, response.get_json()["answer"]) == (200, value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", None, "/answer"),
        ("text", 7, "/answer"),
        ("text", {"text": "yes"}, "/answer"),
        ("text", "x" * 100_001, "/answer"),
        ("choice", "c", "/answer"),
        ("choice", ["a"], "/answer"),
        ("approval", "approve", "/answer"),
        ("approval", {}, "/answer/decision"),
        ("approval", {"decision": "yes"}, "/answer/decision"),
        ("approval", {"decision": "edit"}, "/answer/args"),
        ("approval", {"decision": "edit", "args": []}, "/answer/args"),
        ("approval", {"decision": "approve", "comment": 7}, "/answer/comment"),
        ("approval", {"decision": "approve", "a/b": 7}, "/answer/a~1b"),
        ("form", "calm", "/answer"),
        ("form", {}, "/answer"),
        ("form", {"tone": "loud"}, "/answer/tone"),
        ("form", {"tone": "calm", "words": 1.5}, "/answer/words"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_the_place(server, kind, value, expected):
    ask(server, QUESTIONS[kind])
    assert pointers(problem(answer(server, value), 422, "invalid")) == [expected]
    assert server.get("/requests/1").get_json()["status"] == "pending"


def test_a_body_has_an_answer_and_nothing_else(server):
    ask(server)
    assert pointers(problem(server.post("/requests/1", {}), 422, "invalid")) == ["/answer"]
    body = problem(server.post("/requests/1", {"anwser": "yes"}), 422, "unknown_field")
    assert (pointers(body), body["did_you_mean"]) == (["/anwser"], "answer")
    assert responses(server) == []


# A plain HTML form


@pytest.mark.parametrize(
    ("kind", "fields", "value"),
    [
        ("text", {"answer": "Make it shorter.\r\nPlease."}, "Make it shorter.\r\nPlease."),
        ("text", {"answer": ""}, ""),
        ("text", {"answer": "ü & = + %"}, "ü & = + %"),
        ("choice", {"answer": "b"}, "b"),
        ("approval", {"decision": "approve", "comment": "", "args": ""}, {"decision": "approve"}),
        (
            "approval",
            {"decision": "edit", "comment": "so", "args": '{"expression": "7*6"}'},
            {"decision": "edit", "comment": "so", "args": {"expression": "7*6"}},
        ),
    ],
)
def test_a_form_answers_and_goes_on_to_the_mission(server, kind, fields, value):
    ask(server, QUESTIONS[kind])
    response = submit(server, fields)
    assert (response.status_code, response.headers["Location"]) == (303, "/m/1")
    assert server.get("/requests/1").get_json()["answer"] == value


def test_a_form_that_is_sent_twice_goes_on_twice(server):
    ask(server)
    assert [submit(server, {"answer": "yes"}).status_code for _ in range(2)] == [303, 303]
    assert len(responses(server)) == 1
    problem(submit(server, {"answer": "no"}), 409, "already_answered")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ("", "invalid"),
        ("x=1", "unknown_field"),
        ("answer=yes&x=1", "unknown_field"),
        ("comment=only", "unknown_field"),
        ("decision=approve&answer=yes", "unknown_field"),
        ("decision=maybe", "invalid"),
        ("decision=edit&args={", "invalid"),
        ("decision=edit&args=[]", "invalid"),
    ],
)
def test_a_form_that_does_not_fit_is_refused(server, fields, code):
    ask(server, QUESTIONS["approval"])
    form = "application/x-www-form-urlencoded"
    problem(server.request("POST", "/requests/1", data=fields, content_type=form), 422, code)
    assert responses(server) == []
