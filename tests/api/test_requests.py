"""Questions over HTTP: the inbox, and one question that is waited for."""

import pytest

from tests.api.asking import QUESTIONS, answer, ask, ids
from tests.api.server import parameters, problem, result, until
from tests.contract import given as the


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
