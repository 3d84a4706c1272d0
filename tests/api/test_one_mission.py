"""One mission over HTTP: how far it is, and held until it has moved on."""

from typing import Any

import pytest

from tests.api.server import problem, result, until
from tests.contract import given as the


def test_a_mission_tells_how_far_it_is(server):
    claimed = the.running(server.db)
    the.record(server.db, claimed, the.usage(10, 5, 0.25), the.usage(20, 1))
    asked = the.ask(server.db, claimed)
    mission = server.get("/missions/1").get_json()
    assert (mission["status"], mission["attempt"], mission["requests"]) == ("waiting", 1, [asked])
    assert mission["usage"] == {
        "prompt_tokens": 30,
        "completion_tokens": 6,
        "cached_tokens": 2,
        "cost_usd": 0.25,
        "agents": mission["usage"]["agents"],
    }
    assert mission["rev"] == mission["as_of"] == server.poll()["head"]
    assert mission["started_at"] >= mission["created_at"]


def test_a_completed_mission_has_its_result(server):
    the.complete(server.db, the.running(server.db), "Done.", {"a": [1]})
    mission = server.get("/missions/1").get_json()
    assert (mission["result"], mission["error"]) == ({"text": "Done.", "json": {"a": [1]}}, None)
    assert mission["ended_at"] >= mission["started_at"]


def test_a_failed_mission_has_its_error(server):
    the.fail(server.db, the.running(server.db))
    mission = server.get("/missions/1").get_json()
    assert mission["error"] == {
        "code": "model_failed",
        "message": "The model is away.",
        "retryable": True,
    }


def test_a_result_nested_deeper_than_orjson_writes_can_be_read(server):
    deep: Any = "core"
    for _ in range(252):
        deep = [deep]
    the.complete(server.db, the.running(server.db), json=deep)
    for path in ("/missions", "/missions/1", "/missions/1/events"):
        assert server.get(path).status_code == 200


# Waiting for it to move on


def test_a_mission_that_has_moved_on_is_answered_at_once(server):
    the.running(server.db)
    assert server.get("/missions/1?rev=1&wait=20").get_json()["rev"] == 2


def test_a_look_without_rev_is_not_held(server):
    the.make_mission(server.db)
    assert server.get("/missions/1?wait=20").get_json()["status"] == "queued"


def test_a_status_that_changes_ends_the_hold(server):
    the.make_mission(server.db)
    held = server.hold(server.get, "/missions/1?rev=1")
    the.claim(server.db)
    mission = result(held).get_json()
    assert (mission["status"], mission["rev"]) == ("running", 2)


def test_only_a_status_ends_the_hold(server):
    claimed = the.running(server.db)
    the.make_mission(server.db)
    held = server.hold(server.get, "/missions/1?rev=2&wait=1")
    the.record(server.db, claimed, the.delta())
    the.claim(server.db)
    mission = result(held).get_json()
    assert (mission["rev"], mission["as_of"]) == (2, 5)


def test_the_hold_lasts_until_the_rev_that_was_named_is_passed(server):
    the.make_mission(server.db)
    held = server.hold(server.get, "/missions/1?rev=2&wait=20")
    witness = server.hold_poll(after=1)
    claimed = the.claim(server.db)
    result(witness)
    until(lambda: server.feed.held == 1 or held.ready(), what="second hold")
    assert not held.ready()
    the.complete(server.db, claimed)
    assert result(held).get_json()["status"] == "completed"


def test_an_ended_mission_is_not_waited_for(server):
    the.cancel(server.db, the.make_mission(server.db))
    assert server.get("/missions/1?rev=1000&wait=20").get_json()["status"] == "cancelled"


def test_a_drain_ends_the_hold(server):
    the.make_mission(server.db)
    held = server.hold(server.get, "/missions/1?rev=1")
    server.feed.drain()
    assert result(held).get_json()["rev"] == 1


@pytest.mark.parametrize("query", ["rev=-1", "rev=", "rev=x", f"rev={2**53}", "rev=1&wait=x"])
def test_a_look_that_cannot_be_is_refused(shared, query):
    problem(shared.get(f"/missions/1?{query}"), 422, "invalid")
