"""Questions to humans and the answers to them: the table of the contract, line by line."""

import pytest

from service.errors import Problem
from service.requests import view
from service.requests.question import Question
from tests.contract import given as the
from tests.contract.given import WORKSPACE, refusal, responses, status_of

# Asking


def test_a_question_sets_the_mission_waiting_and_is_in_the_log(db, asked):
    claimed, request_id = asked
    opened, waits = the.events_of(db, claimed.mission_id)[-2:]
    assert (opened["kind"], opened["name"]) == ("HUMAN_INPUT_REQUEST", "opened")
    assert opened["data"] == the.request(db, request_id)
    assert opened["data"]["seq"] == opened["seq"]
    assert (waits["name"], waits["data"]["from"], waits["data"]["to"]) == (
        "mission.waiting",
        "running",
        "waiting",
    )
    mission = the.mission(db, claimed.mission_id)
    assert (mission["status"], mission["requests"]) == ("waiting", [request_id])


def test_a_request_looks_as_the_contract_says(db, stopped_clock):
    claimed = the.running(db)
    asked = the.question(
        "k", context="# Draft", default="Yes", agent="writer", task="draft", type="text"
    )
    request = the.request(db, the.ask(db, claimed, asked, timeout_s=1.5))
    opened = the.events_of(db, claimed.mission_id)[-2]
    assert request == {
        "id": 1,
        "mission": claimed.mission_id,
        "seq": opened["seq"],
        "type": "text",
        "prompt": "Is this draft right?",
        "context": "# Draft",
        "options": None,
        "default": "Yes",
        "schema": None,
        "agent": "writer",
        "task": "draft",
        "status": "pending",
        "asked_at": opened["at"],
        "expires_at": request["expires_at"],
        "answer": None,
        "answered_by": None,
        "answered_at": None,
        "read_at": None,
    }
    stopped_clock.advance(1.5)
    assert the.expire_due(db) == 1


def test_a_question_may_hold_any_text(db):
    claimed = the.running(db)
    broken = the.question("k", context="nul \0", default="half \ud83d", agent="\ud83d")
    request_id = the.ask(db, claimed, broken)
    request = the.request(db, request_id)
    assert (request["context"], request["default"]) == ("nul \ufffd", "half \ufffd")
    assert the.events_of(db, claimed.mission_id)[-2]["data"] == request


def test_a_long_question_is_cut_and_still_names_its_request(db):
    claimed = the.running(db)
    request_id = the.ask(db, claimed, Question("k", "é" * 500_000, context="\1" * 500_000))
    opened = the.events_of(db, claimed.mission_id)[-2]
    assert opened["data"]["id"] == request_id
    assert opened["data"]["prompt"].startswith("éé")


# The table of the contract


def test_the_first_answer_is_taken_and_the_mission_goes_on(db, asked):
    claimed, request_id = asked
    outcome = the.answer(db, request_id, "Yes.", by="Ann")
    response, runs = the.events_of(db, claimed.mission_id)[-2:]
    assert not outcome.replayed
    assert outcome.request == the.request(db, request_id) | {"seq": response["seq"]}
    assert (response["kind"], response["name"]) == ("HUMAN_RESPONSE", "answered")
    assert response["data"] == {
        "request": request_id,
        "answer": "Yes.",
        "by": "Ann",
        "waited_s": response["data"]["waited_s"],
    }
    assert (runs["name"], runs["data"]["from"]) == ("mission.running", "waiting")
    assert the.mission(db, claimed.mission_id)["requests"] == []


def test_an_answer_says_who_gave_it_when_and_after_how_long(db, stopped_clock):
    claimed = the.running(db)
    request_id = the.ask(db, claimed)
    stopped_clock.advance(12.5)
    request = the.answer(db, request_id, "Yes.", by="Ann").request
    [response] = responses(db, claimed)
    assert (request["status"], request["answer"], request["answered_by"]) == (
        "answered",
        "Yes.",
        "Ann",
    )
    assert request["answered_at"] == response["at"]
    assert response["data"]["waited_s"] == 12.5
    assert request["read_at"] is None


def test_the_same_answer_again_is_the_same_and_adds_no_event(db, asked):
    claimed, request_id = asked
    first = the.answer(db, request_id, "Yes.", by="Ann")
    again = the.answer(db, request_id, "Yes.", by="Bob")
    assert again.replayed
    assert again.request == first.request
    assert len(responses(db, claimed)) == 1


def test_a_repaired_answer_given_again_is_the_same(db, asked):
    _claimed, request_id = asked
    first = the.answer(db, request_id, "nul \0").request
    assert first["answer"] == "nul \ufffd"
    assert the.answer(db, request_id, "nul \0").replayed


def test_the_same_key_again_gets_the_first_answer_whatever_it_says(db, asked):
    claimed, request_id = asked
    first = the.answer(db, request_id, "Yes.", key="key-1")
    again = the.answer(db, request_id, "No.", key="key-1")
    assert again.replayed
    assert again.request == first.request
    assert len(responses(db, claimed)) == 1


def test_another_answer_is_refused_and_told_who_said_what_and_when(db, asked):
    _claimed, request_id = asked
    first = the.answer(db, request_id, "Yes.", by="Ann", key="key-1").request
    for key in (None, "key-2"):
        refused = refusal(db, request_id, "No.", by="Bob", key=key)
        assert (refused.code, refused.declared.status) == ("already_answered", 409)
        assert refused.extra == {
            "answer": "Yes.",
            "answered_by": "Ann",
            "answered_at": first["answered_at"],
        }


def test_two_answers_without_keys_are_not_the_same_client(db, asked):
    _claimed, request_id = asked
    the.answer(db, request_id, "Yes.", key=None)
    assert refusal(db, request_id, "No.", key=None).code == "already_answered"


def test_a_late_answer_is_refused(db, stopped_clock):
    """Also before anybody has noted that the deadline passed."""
    claimed = the.running(db)
    request_id = the.ask(db, claimed, timeout_s=300)
    stopped_clock.advance(300)
    for _ in ("past its deadline", "expired"):
        refused = refusal(db, request_id, "Yes.")
        assert (refused.code, refused.declared.status) == ("request_expired", 410)
        assert refused.extra["expired_at"] == the.request(db, request_id)["expires_at"]
        the.expire_due(db)


def test_an_answer_in_the_last_moment_is_taken(db, stopped_clock):
    request_id = the.ask(db, the.running(db), timeout_s=300)
    stopped_clock.advance(299.999)
    assert not the.answer(db, request_id, "Yes.").replayed


@pytest.mark.parametrize("end", [the.complete, the.fail, the.end_cancelled])
def test_an_answer_to_an_ended_mission_is_refused(db, asked, end):
    claimed, request_id = asked
    end(db, claimed)
    refused = refusal(db, request_id, "Yes.")
    assert (refused.code, refused.declared.status) == ("mission_ended", 409)
    assert refused.extra == {"status": status_of(db, claimed)}


def test_an_answered_question_stays_answered_when_the_mission_has_ended(db, asked):
    claimed, request_id = asked
    the.answer(db, request_id, "Yes.")
    the.complete(db, claimed)
    assert the.answer(db, request_id, "Yes.").replayed
    assert refusal(db, request_id, "No.").code == "already_answered"


def test_an_expired_question_stays_expired_when_the_mission_has_ended(db, stopped_clock):
    claimed = the.running(db)
    request_id = the.ask(db, claimed)
    stopped_clock.advance(301)
    the.expire_due(db)
    the.complete(db, claimed)
    assert refusal(db, request_id, "Yes.").code == "request_expired"


def test_a_request_of_another_workspace_is_not_found(db, asked):
    _claimed, request_id = asked
    elsewhere = the.make_workspace(db, "elsewhere")
    with db.reading() as conn, pytest.raises(Problem) as refused:
        view.one(conn, elsewhere, request_id)
    assert refused.value.code == "not_found"
    with db.reading() as conn:
        assert view.inbox(conn, elsewhere, limit=9) == ([], 0)


# Several questions, several attempts


def test_a_mission_waits_until_its_last_question_is_closed(db, asked):
    claimed, first = asked
    second = the.ask(db, claimed, the.question("second"))
    assert the.mission(db, claimed.mission_id)["requests"] == [first, second]
    the.answer(db, second, "No.")
    assert status_of(db, claimed) == "waiting"
    the.answer(db, first, "Yes.")
    assert status_of(db, claimed) == "running"
    names = the.names_of(db, claimed.mission_id)
    assert names.count("mission.waiting") == 1
    assert names[-3:] == ["answered", "answered", "mission.running"]


def test_the_next_attempt_finds_the_question_that_is_still_open(db, asked):
    claimed, request_id = asked
    before = the.request(db, request_id)
    the.lose(db, claimed)
    again = the.claim(db)
    assert the.ask(db, again, the.question(context="another text"), timeout_s=999) == request_id
    assert the.request(db, request_id) == before
    assert status_of(db, again) == "waiting"
    the.answer(db, request_id, "Yes.")
    assert status_of(db, again) == "running"
    assert the.names_of(db, claimed.mission_id).count("opened") == 1


def test_the_next_attempt_finds_the_answer_that_came_meanwhile(db, asked):
    claimed, request_id = asked
    the.lose(db, claimed)
    the.answer(db, request_id, "Yes.")
    assert status_of(db, claimed) == "queued"  # nobody holds it: it does not run by an answer
    again = the.claim(db)
    assert the.ask(db, again) == request_id
    assert status_of(db, again) == "running"
    assert the.take_answer(db, request_id).value == "Yes."


def test_the_next_attempt_may_find_its_answer_while_it_runs(db, asked):
    claimed, request_id = asked
    the.lose(db, claimed)
    again = the.claim(db)
    the.answer(db, request_id, "Yes.")
    assert status_of(db, again) == "running"
    assert the.names_of(db, claimed.mission_id)[-1] == "answered"


def test_a_key_names_a_question_of_one_mission(db, asked):
    _claimed, request_id = asked
    assert the.ask(db, the.running(db)) != request_id


# The inbox


def test_the_inbox_is_newest_first_and_can_be_narrowed(db, asked):
    claimed, first = asked
    other = the.running(db)
    second = the.ask(db, other)
    the.answer(db, first, "Yes.")
    with db.reading() as conn:
        everything, as_of = view.inbox(conn, WORKSPACE, limit=9)
        pending, _ = view.inbox(conn, WORKSPACE, limit=9, statuses=["pending"])
        own, _ = view.inbox(conn, WORKSPACE, limit=9, mission_ids=[claimed.mission_id])
        newest, _ = view.inbox(conn, WORKSPACE, limit=1)
    assert [request["id"] for request in everything] == [second, first]
    assert [request["id"] for request in pending] == [second]
    assert [request["id"] for request in own] == [first]
    assert [request["id"] for request in newest] == [second]
    assert as_of == len(the.events(db))
