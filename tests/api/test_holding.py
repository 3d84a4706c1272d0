"""A held poll: what ends it, when, and that each gets what it asked for."""

import random
import socket
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from service.config import Settings
from service.db import Database
from service.events.kinds import Kind, NewEvent
from service.events.log import Head
from service.feed import poll as poll_module
from service.feed.answer import Answer
from service.feed.page import Page
from service.feed.poll import Feed
from tests.api.server import Server, problem, result
from tests.contract import given as the
from tests.contract.processes import run_together

pytestmark = pytest.mark.waits


class Clock:
    """A clock for the feed that stands still; each hold says how long it would take."""

    now = 1000.0

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held: list[float] = []
        monkeypatch.setattr(poll_module, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(Feed, "enter", lambda _feed, *given: self._enter(*given))

    def of(self, server: Server, path: str, query: dict[str, object]) -> float:
        """The seconds for which a request is held that nothing ends early."""
        self.held = [0.0]
        assert server.get(path, query).status_code == 200
        return self.held[-1]

    def _enter(self, place: Any, deadline: float) -> None:
        self.held.append(deadline - self.now)
        place.answered(Answer(Page(Head("", 0, 0), (), 0), "timeout"))


@pytest.fixture
def held_time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def claim_in_another_process(url: str) -> None:
    db = Database(Settings(database_url=url))
    the.claim(db)
    db.close()


def an_error() -> NewEvent:
    return NewEvent(Kind.ERROR, "llm", {"code": "x", "message": "y", "retryable": True})


def seqs(answer: dict[str, Any]) -> list[int]:
    return [event["seq"] for event in answer["events"]]


# How long


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ({}, 0),
        ({"after": 0}, 20),
        ({"after": "now"}, 20),
        ({"wait": 3}, 3),
        ({"after": 0, "wait": "0.5"}, 0.5),
        ({"after": 0, "wait": "0.30000000000000004"}, 0.3),
        ({"after": 0, "wait": 25}, 25),
        ({"after": 0, "wait": 26}, 25),
        ({"after": 0, "wait": "99999999999"}, 25),
    ],
)
def test_a_hold_is_never_longer_than_asked_and_a_tenth_shorter_at_most(
    shared, held_time, query, seconds
):
    holds = [held_time.of(shared, "/events", query) for _ in range(50)]
    assert min(holds) >= 0.9 * seconds
    assert max(holds) <= seconds
    assert max(holds) < 25


def test_holds_that_begin_together_end_apart(shared, held_time):
    random.seed(1)
    assert len({held_time.of(shared, "/events", {"wait": 20}) for _ in range(50)}) > 40


def test_nothing_new_is_an_empty_answer_when_the_time_is_over(server):
    answer = server.poll(after=0, wait="0.05")
    assert (answer["events"], answer["next"], answer["reason"]) == ([], 0, "timeout")


def test_what_the_filter_leaves_out_does_not_end_a_hold_but_moves_the_cursor(server):
    claimed = the.running(server.db)
    held = server.hold_poll(after=2, wait=1, kind="ERROR")
    the.record(server.db, claimed, the.delta(), the.delta())
    answer = result(held)
    assert (answer["reason"], answer["events"], answer["next"]) == ("timeout", [], 4)


# What ends it


def test_an_event_ends_it(server):
    held = server.hold_poll(after=0)
    the.make_mission(server.db)
    answer = result(held)
    assert (answer["reason"], seqs(answer), answer["next"], answer["head"]) == ("events", [1], 1, 1)


def test_an_event_of_another_process_ends_it(server):
    the.make_mission(server.db)
    held = server.hold_poll(after=1)
    run_together([(claim_in_another_process, server.db.url.render_as_string(hide_password=False))])
    assert seqs(result(held)) == [2]


def test_events_are_told_from_each_other_while_one_poll_follows_the_next(server):
    claimed = the.running(server.db)
    after = 2
    for text in ("one", "two", "three"):
        held = server.hold_poll(after=after)
        the.record(server.db, claimed, the.delta(text))
        answer = result(held)
        assert [event["data"]["delta"] for event in answer["events"]] == [text]
        after = answer["next"]


def test_an_event_that_comes_between_two_polls_is_there_at_once(server):
    claimed = the.running(server.db)
    result_of_first = server.poll(after=2, wait="0.01")
    the.record(server.db, claimed, the.delta())
    answer = server.poll(after=result_of_first["next"], wait=20)
    assert (answer["reason"], seqs(answer)) == ("events", [3])


def test_a_hold_from_now_begins_at_the_end(server):
    claimed = the.running(server.db)
    held = server.hold_poll(after="now")
    the.record(server.db, claimed, the.delta())
    assert seqs(result(held)) == [3]


@pytest.mark.parametrize("kind", ["STATUS", "-STATUS", "ERROR"])
def test_the_end_of_its_mission_ends_it(server, kind):
    claimed = the.running(server.db)
    held = server.hold_poll(f"/missions/{claimed.mission_id}/events", after=2, kind=kind)
    the.complete(server.db, claimed)
    answer = result(held)
    assert (answer["closed"], answer["status"]) == (True, "completed")
    assert answer["reason"] == ("events" if answer["events"] else "closed")
    assert answer["next"] == answer["head"]


def test_a_drain_ends_all_and_holds_no_more(server):
    the.make_mission(server.db)
    held = [server.hold_poll(after=1), server.hold_poll("/missions/1/events", after=1)]
    server.feed.drain()
    assert [result(poll)["reason"] for poll in held] == ["drain", "drain"]
    assert server.feed.held == 0
    answer = server.poll(after=1, wait=20)
    assert (answer["reason"], answer["next"]) == ("drain", 1)
    assert server.poll(after=0, wait=20)["reason"] == "events"


def test_a_cursor_that_expires_while_held_is_gone(server):
    the.running(server.db)
    held = server.hold(server.get, "/events?after=2&wait=20")
    server.forget(oldest=5)
    the.running(server.db)
    problem(result(held), 410, "cursor_expired")


def test_a_full_house_sends_away_with_the_time_to_come_back(tmp_path):
    with Server(tmp_path, max_held=2) as server:
        held = [server.hold_poll(after=0), server.hold_poll(after=0)]
        answer = server.poll(after=0, wait=20)
        assert (answer["reason"], answer["next"], answer["events"]) == ("busy", 0, [])
        assert 0 < answer["retry_s"] <= 25
        assert server.poll(after=0, wait=0)["reason"] == "now"
        the.make_mission(server.db)
        assert [result(poll)["reason"] for poll in held] == ["events", "events"]
        server.hold_poll(after=1).kill()


def test_all_that_one_token_holds_is_counted_together(tmp_path):
    with Server(tmp_path, max_held_per_token=3) as server:
        the.ask(server.db, the.running(server.db))
        greedy, other = server.token("read"), server.token("read")
        paths = ("/events?after=4", "/missions/1?rev=4", "/requests/1?wait=20")
        held = [server.hold(server.get, path, headers=greedy) for path in paths]
        assert server.get("/events?after=4", headers=greedy).get_json()["reason"] == "busy"
        for path in paths[1:]:
            assert server.get(path, headers=greedy).status_code == 200  # and at once
        lines = greedy | {"Accept": "application/x-ndjson"}
        stream = server.client.get("/events?after=4", headers=lines)
        assert '"reason":"busy"' in stream.text.splitlines()[-1]
        held.append(server.hold(server.get, "/missions/1?rev=4", headers=other))
        gevent.killall(held)


@pytest.mark.parametrize("path", ["/events?after=4", "/missions/1?rev=4", "/requests/1?wait=20"])
def test_a_client_that_leaves_frees_its_place(server, path):
    the.ask(server.db, the.running(server.db))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        held = server.hold(server.get, path, environ_overrides={"gunicorn.socket": ours})
        assert server.feed.held == 1
        theirs.close()
        result(held)
    assert server.feed.held == 0


def test_a_client_that_sends_its_next_request_early_keeps_its_place(server):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        environ = {"gunicorn.socket": ours}
        held = server.hold(server.get, "/events?after=0", environ_overrides=environ)
        theirs.sendall(b"GET /events HTTP/1.1")
        server.poll(after=0, wait="0.05")  # the socket is looked at meanwhile
        assert not held.ready()
        the.make_mission(server.db)
        assert seqs(result(held).get_json()) == [1]


# Each its own


def test_two_filters_get_exactly_theirs(server):
    first, second = the.running(server.db), the.running(server.db, "worker-2")
    head = server.poll()["head"]
    of_first = server.hold_poll(after=head, mission=first.mission_id)
    errors_of_second = server.hold_poll(after=head, mission=second.mission_id, kind="ERROR")
    streams = server.hold_poll(after=head, kind="STREAM")
    the.record(server.db, second, the.delta("second"))
    the.record(server.db, first, the.delta("first"))
    the.record(server.db, second, an_error())
    assert seqs(result(of_first)) == [head + 2]
    assert seqs(result(errors_of_second)) == [head + 3]
    assert seqs(result(streams)) == [head + 1, head + 2]


def test_many_that_wait_for_the_same_get_equal_bytes(server):
    claimed = the.running(server.db)
    held = [
        server.hold(server.get, "/events", {"after": 2, "wait": 20, "client": i}) for i in range(20)
    ]
    assert server.feed.held == 20
    the.record(server.db, claimed, the.delta())
    bodies = {result(poll).data for poll in held}
    assert len(bodies) == 1
    assert server.feed.held == 0


def test_a_poll_that_was_passed_over_joins_those_that_wait_further_on(server):
    claimed = the.running(server.db)
    early = server.hold_poll(after=2, kind="ERROR")
    the.record(server.db, claimed, the.delta())
    late = server.hold_poll(after=3, kind="ERROR")
    the.record(server.db, claimed, an_error())
    assert seqs(result(early)) == seqs(result(late)) == [4]


def test_nobody_hears_of_another_workspace(server):
    elsewhere = the.make_workspace(server.db, "elsewhere")
    held = server.hold_poll(after=0, wait=1)
    the.make_mission(server.db, elsewhere)
    answer = result(held)
    assert (answer["reason"], answer["head"]) == ("timeout", 0)


def test_readiness_counts_those_that_are_held(server):
    held = server.hold_poll(after=0)
    assert server.get("/readyz").get_json() == {"status": "ready", "held": 1}
    held.kill()
