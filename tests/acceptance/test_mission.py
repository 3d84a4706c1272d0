"""One real mission from POST to its end: web, worker and crewai as users run them."""

from datetime import datetime
from itertools import accumulate

import pytest

from tests.folding import differences, faults
from tests.missions import agent, mission, names, spoken, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.agents]

PROSE = "Heat pumps move heat – they don’t make it. ☀️ 🔥\n\n1. They work at −15 °C.\n\t“Indeed.”"


EVERY_KIND = {
    "STATUS", "STREAM", "ACTION", "OUTPUT", "HUMAN_INPUT_REQUEST", "HUMAN_RESPONSE", "USAGE", "LOG",
}  # fmt: skip


def test_every_kind_of_event_reaches_the_client_and_adds_up(
    longline: Longline, model_server: ModelServer
) -> None:
    sum_up = ToolCall("calculator", {"expression": "6*7"})
    ask = ToolCall("ask_human", {"question": "Which tone?"})
    model_server.rules = [
        Rule(Reply(tool_calls=[sum_up]), last="task sum", times=1),
        Rule(Reply(tool_calls=[ask]), last="42", times=1),
        Rule(Reply(PROSE, delay_s=0.005), any="task sum"),
        Rule(Reply("Better: heat pumps save power."), any="too long", times=1),
        Rule(Reply(PROSE), any="task draft"),
    ]
    spec = mission(
        task("sum"),
        task("draft", human_input=True),
        agents=[agent(tools=["calculator", "ask_human"])],
    )

    created = longline.client.create(spec)
    asked = longline.wait_for_question(created["id"])
    assert asked["prompt"] == "Which tone?"
    longline.client.answer(asked["id"], "calm")
    review = longline.wait_for_question(created["id"])
    assert review["context"] == PROSE
    longline.client.answer(review["id"], "too long")
    second = longline.wait_for_question(created["id"])
    longline.client.answer(second["id"], "")
    ended = longline.wait_for_status(created["id"], "completed", "failed")

    events = longline.events(created["id"])
    assert ended["result"]["text"] == "Better: heat pumps save power."
    assert list(spoken(events).values()) == [text for text in model_server.texts() if text]
    assert {event["kind"] for event in events} >= EVERY_KIND
    assert names(events, "HUMAN_RESPONSE") == ["answered"] * 3
    assert ended["usage"]["prompt_tokens"] == model_server.total("prompt_tokens")
    assert ended["usage"]["completion_tokens"] == model_server.total("completion_tokens")
    assert differences(events, ended) == {}
    assert faults(events) == []
    assert events[-1]["name"] == "mission.completed"


def test_a_failing_model_fails_the_mission_and_says_why(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply(status=500, error="the model is on fire"))]

    created = longline.client.create(mission())
    ended = longline.wait_for_status(created["id"], "failed", "completed")

    events = longline.events(created["id"])
    assert ended["status"] == "failed"
    assert ended["error"]["code"] == "model_error"
    assert "failed" in names(events, "ACTION")[-1]
    assert differences(events, ended) == {}
    assert "scripted-key-of-the-tests" not in str(events)


def test_a_running_mission_is_cancelled_within_seconds(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("word " * 2000, delay_s=0.02))]
    created = longline.client.create(mission())
    until(lambda: spoken(longline.events(created["id"])), what="text")

    longline.client.cancel(created["id"])
    ended = longline.wait_for_status(created["id"], "cancelled", within_s=20)

    events = longline.events(created["id"])
    assert "mission.cancelling" in names(events, "STATUS")
    assert spoken(events) != {}
    assert differences(events, ended) == {}
    assert faults(events) == []


def test_a_mission_that_waits_for_a_human_is_cancelled_and_its_question_closed(
    longline: Longline,
) -> None:
    created = longline.client.create(mission(task("draft", human_input=True)))
    longline.wait_for_question(created["id"])

    longline.client.cancel(created["id"])
    ended = longline.wait_for_status(created["id"], "cancelled")

    events = longline.events(created["id"])
    assert names(events, "HUMAN_RESPONSE") == ["cancelled"]
    assert differences(events, ended) == {}
    assert faults(events) == []


def test_an_answer_that_nobody_gives_lets_the_mission_go_on(longline: Longline) -> None:
    spec = mission(task("draft", human_input=True), human={"timeout_s": 0.5})

    created = longline.client.create(spec)
    ended = longline.wait_for_status(created["id"], "completed", "failed")

    events = longline.events(created["id"])
    assert ended["status"] == "completed"
    assert names(events, "HUMAN_RESPONSE") == ["expired"]
    assert differences(events, ended) == {}


def test_the_agent_goes_on_within_a_quarter_second_of_the_answer(longline: Longline) -> None:
    """One of five, for the machine may be busy with other things."""
    created = longline.client.create(mission(task("draft", human_input=True)))

    def waited_ms(answer: str) -> float:
        question = longline.wait_for_question(created["id"])
        longline.client.answer(question["id"], answer)
        read = until(lambda: longline.client.request(question["id"])["read_at"], what="reader")
        return ms_between(longline.client.request(question["id"])["answered_at"], read)

    waits = [waited_ms(answer) for answer in ("shorter", "longer", "shorter", "longer", "")]
    longline.wait_for_status(created["id"], "completed")
    assert min(waits) <= 250


def test_as_many_missions_run_at_once_as_the_worker_is_told(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("slowly " * 30, delay_s=0.05))]

    created = [longline.client.create(mission())["id"] for _ in range(6)]
    ended = [longline.wait_for_status(mission_id, "completed") for mission_id in created]

    for one in ended:
        assert differences(longline.events(one["id"]), one) == {}
    moves = [event for number in created for event in longline.events(number, kind="STATUS")]
    moves.sort(key=lambda event: event["seq"])
    steps = [{"mission.running": 1, "mission.completed": -1}.get(e["name"], 0) for e in moves]
    assert max(accumulate(steps)) == 4


def ms_between(earlier: str, later: str) -> float:
    took = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return took.total_seconds() * 1000
