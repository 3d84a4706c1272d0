"""Questions over HTTP: the inbox, one question, and who may answer it how, and when."""

from typing import Any

import pytest

from service.requests import waiting
from service.requests.question import Question
from tests.api.server import Server, parameters, pointers, problem, result, until
from tests.contract import given as the

SCHEMA = {
    "type": "object",
    "properties": {"tone": {"enum": ["calm", "bold"]}, "words": {"type": "integer"}},
    "required": ["tone"],
    "additionalProperties": False,
}
QUESTIONS = {
    "text": the.question("text"),
    "choice": the.question("choice", type="choice", options=["a", "b"], default="a"),
    "approval": the.question("approval", type="approval", context="calculator(6*7)"),
    "form": the.question("form", type="form", schema=SCHEMA),
}


def ask(server: Server, question: Question | None = None, *, timeout_s: float = 300.0) -> int:
    """A question of a mission of its own. Returns its id."""
    return the.ask(server.db, the.running(server.db), question, timeout_s=timeout_s)


def answer(server: Server, value: Any, request_id: int = 1, **headers: str):
    return server.post(f"/requests/{request_id}", {"answer": value}, headers=headers)


def submit(server: Server, fields: Any, request_id: int = 1):
    return server.request("POST", f"/requests/{request_id}", data=fields)


def responses(server: Server) -> list[dict[str, Any]]:
    return server.poll(kind="HUMAN_RESPONSE")["events"]


def ids(server: Server, query: str = "") -> list[int]:
    return [asked["id"] for asked in server.get(f"/requests?{query}").get_json()["requests"]]


# The inbox and one question


def test_a_request_has_these_keys(server):
    ask(server, the.question(context="*Draft*", agent="writer", task="draft"))
    asked = server.get("/requests/1").get_json()
    assert asked == {
        "id": 1,
        "mission": 1,
        "seq": 3,
        "type": "text",
        "prompt": "Is this draft right?",
        "context": "*Draft*",
        "options": None,
        "default": None,
        "schema": None,
        "agent": "writer",
        "task": "draft",
        "status": "pending",
        "asked_at": asked["asked_at"],
        "expires_at": asked["expires_at"],
        "answer": None,
        "answered_by": None,
        "answered_at": None,
        "read_at": None,
    }
    assert asked["expires_at"] > asked["asked_at"]


def test_its_event_carries_the_request_as_it_was_asked(server):
    ask(server, QUESTIONS["choice"])
    [opened] = server.poll(kind="HUMAN_INPUT_REQUEST")["events"]
    assert opened["data"] == server.get("/requests/1").get_json()
    assert (opened["name"], opened["seq"]) == ("opened", opened["data"]["seq"])


def test_the_inbox_has_these_keys(server):
    ask(server)
    answer = server.get("/requests").get_json()
    assert answer == {"requests": [server.get("/requests/1").get_json()], "as_of": 4}


def test_the_inbox_is_over_all_missions_newest_first(server):
    assert [ask(server), ask(server)] == [1, 2]
    assert ids(server) == [2, 1]
    assert ids(server, "limit=1") == [2]


def test_the_inbox_is_narrowed_to_a_status_and_a_mission(server):
    ask(server), ask(server)
    answer(server, "yes")
    assert ids(server, "status=pending") == [2]
    assert ids(server, "status=answered") == [1]
    assert ids(server, "status=answered,pending") == [2, 1]
    assert ids(server, "status=pending&mission=1") == []
    assert ids(server, "mission=2") == [2]


def test_following_the_inbox_s_cursor_misses_nothing(server):
    as_of = server.get("/requests").get_json()["as_of"]
    ask(server)
    followed = server.poll(after=as_of, kind="HUMAN_INPUT_REQUEST")["events"]
    assert [event["data"]["id"] for event in followed] == [1]


def test_an_inbox_of_large_questions_stays_below_a_mebibyte(server):
    claimed = the.running(server.db)
    for i in range(12):
        the.ask(server.db, claimed, the.question(f"q{i}", context="🔥" * 30_000))
    found = ids(server)  # the answer's size is looked at, as that of every other
    assert 2 <= len(found) < 12
    assert found == list(range(12, 12 - len(found), -1))


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=open", "status"),
        ("status=", "status"),
        ("mission=0", "mission"),
        ("mission=x", "mission"),
        ("mission=1,2", "mission"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
    ],
)
def test_an_inbox_that_cannot_be_is_refused(shared, query, name):
    assert parameters(problem(shared.get(f"/requests?{query}"), 422, "invalid")) == [name]


def test_what_there_is_not_is_not_found(shared):
    for path in ("/requests?mission=1", "/requests/1", "/requests/0", "/requests/one"):
        problem(shared.get(path), 404, "not_found")
    problem(answer(shared, "yes"), 404, "not_found")


# Waiting for somebody's answer


def test_an_answer_ends_the_hold(server):
    ask(server)
    held = server.hold(server.get, "/requests/1?wait=20")
    answer(server, "yes")
    asked = result(held).get_json()
    assert (asked["status"], asked["answer"]) == ("answered", "yes")


def test_an_expiry_ends_the_hold(server):
    ask(server, timeout_s=0)
    held = server.hold(server.get, "/requests/1?wait=20")
    the.expire_due(server.db)
    assert result(held).get_json()["status"] == "expired"


def test_the_answer_to_another_question_does_not_end_the_hold(server):
    claimed = the.running(server.db)
    first = the.ask(server.db, claimed, the.question("first"))
    the.ask(server.db, claimed, the.question("second"))
    answer(server, "yes", 2)
    held = server.hold(server.get, f"/requests/{first}?wait=20")
    third = the.ask(server.db, claimed, the.question("third"))
    witness = server.hold_poll(after=server.poll()["head"])
    answer(server, "yes", third)
    result(witness)
    until(lambda: server.feed.held == 1 or held.ready(), what="second hold")
    assert not held.ready()
    answer(server, "at last", first)
    assert result(held).get_json()["answer"] == "at last"


def test_without_wait_and_once_closed_nothing_is_held(server):
    ask(server)
    assert server.get("/requests/1").get_json()["status"] == "pending"
    answer(server, "yes")
    assert server.get("/requests/1?wait=20").get_json()["status"] == "answered"


# The answer


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
