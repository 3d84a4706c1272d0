"""Limits and costs of real missions: counted live, kept, and raised by a human where that is wanted."""

from typing import Any

import pytest

from tests.acceptance.checking import check, ended
from tests.missions import agent, mission, names, task
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.agents]

SAID = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
# At the prices of `equipment`, for a million tokens.
COST = (1000 * 100.0 + 100 * 1000.0) / 1e6


@pytest.fixture
def longline(equipped_longline: Longline, model_server: ModelServer) -> Longline:
    """A server whose model has a price, and reports the same usage for each call."""
    model_server.rules = [Rule(Reply("Done.", usage=SAID))]
    return equipped_longline


def plan(*names: str, **changes: Any) -> dict[str, Any]:
    return mission(*(task(name) for name in names), **changes)


def breach(events: list[dict[str, Any]]) -> dict[str, Any]:
    (event,) = [e for e in events if (e["kind"], e["name"]) == ("ERROR", "limit")]
    return event["data"]


def test_every_call_agent_and_mission_has_its_cost(
    longline: Longline, model_server: ModelServer
) -> None:
    crew = [agent(), agent("editor")]
    spec = mission(task("a"), task("b", agent="editor"), task("c"), agents=crew)
    done = ended(longline, longline.client.create(spec)["id"])
    events = check(longline, done, model_server)
    calls = [e["data"]["cost_usd"] for e in events if (e["kind"], e["name"]) == ("USAGE", "call")]
    assert calls == pytest.approx([COST] * 3)
    assert done["usage"]["cost_usd"] == pytest.approx(3 * COST)
    by_agent = {name: (it["calls"], it["cost_usd"]) for name, it in done["usage"]["agents"].items()}
    assert by_agent == {"writer": (2, pytest.approx(2 * COST)), "editor": (1, pytest.approx(COST))}
    (total,) = [e["data"] for e in events if (e["kind"], e["name"]) == ("USAGE", "total")]
    assert total["cost_usd"] == pytest.approx(3 * COST)


def test_usage_is_seen_while_the_mission_runs(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules.insert(0, Rule(Reply("word " * 400, delay_s=0.02), last="task b"))
    created = longline.client.create(plan("a", "b"))
    until(
        lambda: longline.client.mission(created["id"])["usage"]["prompt_tokens"] == 1000,
        what="usage of the first task",
    )
    assert longline.client.mission(created["id"])["status"] == "running"
    longline.client.cancel(created["id"])
    ended(longline, created["id"], "cancelled")


@pytest.mark.parametrize(
    ("limits", "limit", "used"),
    [
        ({"max_tokens": 2000}, "max_tokens", 2200),
        ({"max_cost_usd": 0.3}, "max_cost_usd", 2 * COST),
    ],
)
def test_a_mission_ends_at_its_limit_and_keeps_what_it_had(
    longline: Longline, model_server: ModelServer, limits: Any, limit: str, used: float
) -> None:
    failed = ended(
        longline, longline.client.create(plan("a", "b", "c", limits=limits))["id"], "failed"
    )
    events = check(longline, failed, model_server)
    assert failed["error"]["code"] == "limit"
    assert breach(events)["limit"] == limit
    assert breach(events)["used"] == pytest.approx(used)
    assert len(model_server.exchanges) == 2
    assert failed["progress"]["done"] >= 1


def test_a_mission_ends_when_its_time_is_over(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("word " * 2000, delay_s=0.02))]
    failed = ended(
        longline, longline.client.create(plan("a", limits={"max_seconds": 1}))["id"], "failed"
    )
    events = longline.events(failed["id"])
    assert failed["error"]["code"] == "limit"
    assert breach(events)["limit"] == "max_seconds"


def test_a_human_raises_a_limit_and_the_mission_goes_on(
    longline: Longline, model_server: ModelServer
) -> None:
    spec = plan("a", "b", "c", limits={"max_tokens": 1000}, on_limit="ask")
    created = longline.client.create(spec)
    question = longline.wait_for_question(created["id"])
    assert question["type"] == "form"
    assert "1100 tokens" in question["prompt"]
    assert longline.client.mission(created["id"])["status"] == "waiting"
    assert len(model_server.exchanges) == 1  # it stands still meanwhile
    longline.client.answer(question["id"], {"new_limit": 2500})
    second = longline.wait_for_question(created["id"])
    assert second["id"] != question["id"]
    longline.client.answer(second["id"], {"new_limit": 10_000})
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    assert names(events, "HUMAN_RESPONSE") == ["answered"] * 2


def test_a_human_who_raises_nothing_stops_the_mission(
    longline: Longline, model_server: ModelServer
) -> None:
    created = longline.client.create(plan("a", "b", limits={"max_tokens": 1000}, on_limit="ask"))
    longline.client.answer(longline.wait_for_question(created["id"])["id"], {})
    failed = ended(longline, created["id"], "failed")
    events = check(longline, failed, model_server)
    assert failed["error"]["code"] == breach(events)["code"] == "limit"
    assert len(model_server.exchanges) == 1


def test_nobodys_answer_stops_the_mission_at_its_limit(
    longline: Longline, model_server: ModelServer
) -> None:
    human = {"timeout_s": 0.5, "on_timeout": "continue"}
    spec = plan("a", "b", limits={"max_tokens": 1000}, on_limit="ask", human=human)
    failed = ended(longline, longline.client.create(spec)["id"], "failed")
    events = check(longline, failed, model_server)
    assert failed["error"]["code"] == "limit"
    assert names(events, "HUMAN_RESPONSE") == ["expired"]


@pytest.mark.parametrize("more", [30, None], ids=["more", "no-more"])
def test_a_human_gives_a_mission_more_time(
    longline: Longline, model_server: ModelServer, more: int | None
) -> None:
    model_server.rules = [Rule(Reply("word " * 150, delay_s=0.02, usage=SAID))]
    created = longline.client.create(plan("a", limits={"max_seconds": 1}, on_limit="ask"))
    question = longline.wait_for_question(created["id"])
    assert "1 s" in question["prompt"]
    longline.client.answer(question["id"], {} if more is None else {"new_limit": more})
    mission = ended(longline, created["id"], "failed" if more is None else "completed")
    if more is None:
        assert breach(longline.events(created["id"]))["limit"] == "max_seconds"
    else:
        check(longline, mission, model_server)


def test_what_a_human_allowed_holds_after_a_lost_worker(
    longline: Longline, model_server: ModelServer
) -> None:
    from tests.acceptance.test_deaths import kill_child

    model_server.rules.insert(0, Rule(Reply("word " * 400, delay_s=0.02), last="task b", times=1))
    created = longline.client.create(plan("a", "b", limits={"max_tokens": 1000}, on_limit="ask"))
    question = longline.wait_for_question(created["id"])
    longline.client.answer(question["id"], {"new_limit": 50_000})
    until(lambda: [e for e in longline.events(created["id"], kind="STREAM") if e["task"] == "b"])
    kill_child(longline, created["id"])
    done = ended(longline, created["id"])
    events = longline.events(created["id"])
    assert done["attempt"] == 2
    assert names(events, "HUMAN_INPUT_REQUEST") == ["opened"]
