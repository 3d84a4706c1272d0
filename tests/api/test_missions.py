"""Missions over HTTP: created once, listed with a cursor, looked at, cancelled, tried again."""

from typing import Any

import orjson
import pytest

from tests.api.server import Server, parameters, problem, result, until
from tests.contract import given as the
from tests.contract.given import SPEC

FULL: dict[str, Any] = {
    "title": "Brief on heat pumps",
    "engine": "crewai",
    "process": "sequential",
    "model": None,
    "agents": [
        {
            "name": "writer",
            "role": "Writer",
            "goal": "Write about {topic}",
            "backstory": "Writes on {topic}.",
            "tools": ["ask_human", {"name": "calculator", "approve": True}],
            "model": None,
        }
    ],
    "plan": [
        {
            "name": "draft",
            "description": "Write two sentences about {topic}.",
            "expected_output": "Two sentences.",
            "agent": "writer",
            "context": [],
            "human_input": False,
            "output_file": None,
        }
    ],
    "inputs": {"topic": "heat pumps", "words": 40, "share": 0.5, "short": True},
    "human": {"timeout_s": 300.0, "on_timeout": "continue"},
    "limits": {"max_seconds": 3600.0, "max_tokens": None, "max_cost_usd": None},
    "on_worker_lost": "resume",
}


def create(server: Server, spec: Any = None, **headers: str) -> dict[str, Any]:
    response = server.post("/missions", spec or SPEC, headers=headers)
    assert response.status_code == 201, response.text
    return response.get_json()


def within(part: Any, whole: Any) -> bool:
    """Whether a value comes back as it was given, with whatever defaults beside it."""
    if isinstance(part, dict):
        return all(name in whole and within(item, whole[name]) for name, item in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(within, part, whole))
    return bool(part == whole)


def ids(answer: dict[str, Any]) -> list[int]:
    return [mission["id"] for mission in answer["missions"]]


def names(server: Server, mission_id: int) -> list[str]:
    return [event["name"] for event in server.poll(f"/missions/{mission_id}/events")["events"]]


# Creating


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


# The list


def test_the_list_has_these_keys(server):
    mission = create(server)
    del mission["as_of"]
    answer = server.get("/missions").get_json()
    assert answer == {"missions": [mission], "as_of": 1, "more": False}


def test_the_list_is_newest_first_and_goes_on_before_an_id(server):
    for _ in range(5):
        create(server)
    first = server.get("/missions?limit=2").get_json()
    second = server.get("/missions?limit=2&before=4").get_json()
    last = server.get("/missions?limit=2&before=2").get_json()
    assert [ids(page) for page in (first, second, last)] == [[5, 4], [3, 2], [1]]
    assert [page["more"] for page in (first, second, last)] == [True, True, False]


def test_the_list_is_of_fifty_unless_told(server):
    for _ in range(51):
        the.make_mission(server.db)
    answer = server.get("/missions").get_json()
    assert (len(answer["missions"]), answer["more"]) == (50, True)
    assert len(server.get("/missions?limit=200").get_json()["missions"]) == 51


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("queued", [3]),
        ("running", [2]),
        ("cancelled", [1]),
        ("queued,cancelled", [3, 1]),
        ("failed", []),
    ],
)
def test_the_list_shows_those_of_a_status(server, status, expected):
    the.cancel(server.db, the.make_mission(server.db))
    the.running(server.db)
    the.make_mission(server.db)
    assert ids(server.get(f"/missions?status={status}").get_json()) == expected


def test_following_the_list_s_cursor_misses_nothing(server):
    create(server)
    as_of = server.get("/missions").get_json()["as_of"]
    create(server)
    followed = server.poll(after=as_of)["events"]
    assert [(event["mission"], event["name"]) for event in followed] == [(2, "mission.queued")]


def test_a_list_of_large_missions_ends_before_a_mebibyte_and_goes_on(server):
    large = [{**SPEC["plan"][0], "name": n, "description": "x" * 100_000} for n in "ab"]
    for _ in range(7):
        create(server, SPEC | {"plan": large})
    seen, more = [8], True
    while more:
        answer = server.get("/missions", {"before": seen[-1]}).get_json()
        assert answer["missions"]
        seen += ids(answer)
        more = answer["more"]
    assert seen == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=", "status"),
        ("status=ended", "status"),
        ("status=queued,", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1_0", "limit"),
        ("before=0", "before"),
        ("before=-1", "before"),
        ("before=x", "before"),
        (f"before={2**53}", "before"),
    ],
)
def test_a_list_that_cannot_be_is_refused(shared, query, name):
    assert parameters(problem(shared.get(f"/missions?{query}"), 422, "invalid")) == [name]


# One mission


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


# Cancelling


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
