"""Missions over HTTP: created once, whatever is sent again."""

import pytest

from tests.api.making import FULL, create, ids, within
from tests.api.server import problem
from tests.contract import given as the
from tests.contract.given import SPEC


def test_a_new_mission_is_answered_with_its_place_and_itself(server):
    response = server.post("/missions", FULL)
    mission = response.get_json()
    assert (response.status_code, response.headers["Location"]) == (201, "/missions/1")
    assert "Idempotency-Replayed" not in response.headers
    assert mission == {
        "id": 1,
        "title": "Brief on heat pumps",
        "engine": "crewai",
        "status": "queued",
        "rev": 1,
        "attempt": 0,
        "created_at": mission["created_at"],
        "started_at": None,
        "ended_at": None,
        "retry_of": None,
        "result": None,
        "error": None,
        "usage": {
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "cached_tokens": 0,
            "cost_usd": None,
            "agents": {},
        },
        "progress": {"done": 0, "total": 1},
        "requests": [],
        "spec": mission["spec"],
        "as_of": 1,
    }
    assert within(FULL, mission["spec"])
    assert server.get(response.headers["Location"]).get_json() == mission


def test_agents_and_plan_are_all_that_must_be_there(server):
    least = {"agents": SPEC["agents"], "plan": SPEC["plan"]}
    spec = create(server, least)["spec"]
    assert (spec["engine"], spec["process"], spec["on_worker_lost"]) == (
        "crewai", "sequential", "resume",
    )  # fmt: skip
    assert spec["human"] == {"timeout_s": 300.0, "on_timeout": "continue"}
    assert spec["limits"] == {"max_seconds": 3600.0, "max_tokens": None, "max_cost_usd": None}
    assert server.get("/missions/1").get_json()["title"] == "Do research."


def test_a_mission_begins_with_an_event(server):
    mission = create(server)
    [event] = server.poll(f"/missions/{mission['id']}/events")["events"]
    assert (event["kind"], event["name"]) == ("STATUS", "mission.queued")
    assert event["data"] == {"from": None, "to": "queued", "reason": "created"}
    assert mission["rev"] == event["seq"]


# The same request again


def test_the_same_key_and_body_give_the_same_mission_again(server):
    first = server.post("/missions", SPEC, headers={"Idempotency-Key": "k1"})
    second = server.post("/missions", SPEC, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["Location"] == first.headers["Location"]
    assert second.get_json() == first.get_json()
    assert server.poll()["head"] == 1


def test_a_replay_shows_the_mission_as_it_is_by_now(server):
    create(server, **{"Idempotency-Key": "k1"})
    the.claim(server.db)
    assert create(server, **{"Idempotency-Key": "k1"})["status"] == "running"


def test_the_same_key_with_another_body_is_refused(server):
    create(server, **{"Idempotency-Key": "k1"})
    other = server.post("/missions", SPEC | {"title": "B"}, headers={"Idempotency-Key": "k1"})
    problem(other, 422, "key_reused")
    assert ids(server.get("/missions").get_json()) == [1]


def test_another_key_and_no_key_make_another_mission(server):
    made = [create(server, **{"Idempotency-Key": key})["id"] for key in ("k1", "k2")]
    made += [create(server)["id"], create(server)["id"]]
    assert made == [1, 2, 3, 4]


def test_a_refused_request_does_not_use_up_its_key(server):
    problem(server.post("/missions", {}, headers={"Idempotency-Key": "k1"}), 422, "invalid")
    create(server, **{"Idempotency-Key": "k1"})


def test_each_workspace_has_keys_of_its_own(server):
    for workspace in ("default", "elsewhere"):
        headers = server.token("run", workspace=workspace) | {"Idempotency-Key": "k1"}
        response = server.post("/missions", SPEC, headers=headers)
        assert (response.status_code, response.headers.get("Idempotency-Replayed")) == (201, None)


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_of_no_or_great_length_is_refused(shared, key):
    problem(shared.post("/missions", SPEC, headers={"Idempotency-Key": key}), 422, "invalid")
