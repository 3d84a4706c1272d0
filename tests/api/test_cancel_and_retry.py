"""Missions over HTTP: cancelled, tried again, and not there."""

import orjson
import pytest

from tests.api.making import FULL, create, names
from tests.api.server import problem
from tests.contract import given as the
from tests.contract.given import SPEC


def test_a_queued_mission_is_cancelled_at_once(server):
    create(server)
    response = server.post("/missions/1/cancel")
    assert (response.status_code, response.get_json()["status"]) == (200, "cancelled")
    assert names(server, 1) == ["mission.queued", "mission.cancelled"]


def test_a_running_mission_is_told_to_end(server):
    claimed = the.running(server.db)
    mission = server.post("/missions/1/cancel").get_json()
    assert mission["status"] == "running"
    assert names(server, 1)[-1] == "mission.cancelling"
    assert mission["rev"] == mission["as_of"] == 3
    the.end_cancelled(server.db, claimed)
    assert server.get("/missions/1").get_json()["status"] == "cancelled"


def test_cancelling_again_changes_nothing(server):
    the.running(server.db)
    first = server.post("/missions/1/cancel", {})
    again = server.post("/missions/1/cancel", {})
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert names(server, 1).count("mission.cancelling") == 1


@pytest.mark.parametrize("end", [the.complete, the.fail, the.end_cancelled])
def test_an_ended_mission_cannot_be_cancelled(server, end):
    end(server.db, the.running(server.db))
    before = server.poll()["head"]
    problem(server.post("/missions/1/cancel"), 409, "mission_ended")
    assert server.poll()["head"] == before


# Trying again


def test_a_retry_is_a_new_mission_from_the_same_spec(server):
    create(server, FULL)
    the.fail(server.db, the.claim(server.db))
    response = server.post("/missions/1/retry")
    mission = response.get_json()
    assert (response.status_code, response.headers["Location"]) == (201, "/missions/2")
    assert (mission["id"], mission["retry_of"], mission["status"]) == (2, 1, "queued")
    first = server.get("/missions/1").get_json()
    assert (mission["spec"], mission["title"]) == (first["spec"], first["title"])
    assert first["status"] == "failed"


def test_a_retry_that_is_sent_again_with_its_key_is_the_same_mission(server):
    server.post("/missions", SPEC)
    key = {"Idempotency-Key": "k"}
    first = server.post("/missions/1/retry", headers=key)
    again = server.post("/missions/1/retry", headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json()["id"] == again.get_json()["id"] == 2
    assert again.headers["Idempotency-Replayed"] == "true"
    problem(server.post("/missions/2/retry", headers=key), 422, "key_reused")
    problem(server.post("/missions", SPEC, headers=key), 422, "key_reused")
    assert len(server.get("/missions").get_json()["missions"]) == 2


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_a_key_in_a_body_that_takes_none_is_refused(server, verb):
    create(server)
    body = problem(server.post(f"/missions/1/{verb}", {"inputs": {}}), 422, "unknown_field")
    assert body["field"] == "inputs"
    assert server.poll()["head"] == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/missions/7"),
        ("GET", "/missions/7/files"),
        ("POST", "/missions/7/cancel"),
        ("POST", "/missions/7/retry"),
        ("GET", "/missions/0"),
        ("GET", "/missions/999999999999999"),
        ("GET", "/missions/9999999999999999"),
        ("GET", "/missions/1_0"),
        ("GET", "/missions/-1"),
        ("GET", "/missions/%D9%A5"),
        ("GET", "/missions/one"),
    ],
)
def test_a_mission_that_there_is_not_is_not_found(shared, method, path):
    problem(shared.request(method, path), 404, "not_found")


def test_the_bytes_of_the_spec_decide_what_is_the_same_body(server):
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    for data, status in ((orjson.dumps(SPEC), 201), (orjson.dumps(SPEC) + b"\n", 422)):
        assert server.request("POST", "/missions", data=data, headers=headers).status_code == status
