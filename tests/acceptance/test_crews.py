"""What crews can do, by spec: each mission runs for real, and log, row, endpoint and feed agree on it."""

import json
from typing import Any

import pytest

from tests.acceptance.checking import check, ended
from tests.missions import agent, mission, names, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]

BRIEF = {
    "type": "object",
    "properties": {
        "headline": {"type": "string"},
        "facts": {"type": "array", "items": {"$ref": "#/$defs/fact"}},
    },
    "required": ["headline", "facts"],
    "$defs": {
        "fact": {
            "type": "object",
            "properties": {"text": {"type": "string"}, "sure": {"type": "boolean"}},
            "required": ["text", "sure"],
        }
    },
}
JSON = '{"headline": "Wärme — ☀️", "facts": [{"text": "They move heat.", "sure": true}]}'
VALUE = {"headline": "Wärme — ☀️", "facts": [{"text": "They move heat.", "sure": True}]}


@pytest.mark.parametrize("tools", [[], ["calculator"]], ids=["alone", "with-tools"])
def test_a_result_of_a_shape_is_that_value(
    longline: Longline, model_server: ModelServer, tools: list[str]
) -> None:
    model_server.rules = [Rule(Reply(JSON))]
    spec = mission(task("brief", output_schema=BRIEF), agents=[agent(tools=tools)])
    created = longline.client.create(spec)
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    assert done["result"]["json"] == VALUE
    (output,) = [e for e in events if (e["kind"], e["name"]) == ("OUTPUT", "task")]
    assert output["data"]["json"] == VALUE


def test_a_result_in_the_wrong_shape_is_asked_for_again(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply('{"headline": 7}'), times=1), Rule(Reply(JSON))]
    created = longline.client.create(mission(task("brief", output_schema=BRIEF)))
    done = ended(longline, created["id"])
    check(longline, done, model_server)
    assert done["result"]["json"] == VALUE
    assert "headline" in model_server.exchanges[1].last_message


def test_a_result_that_never_fits_fails_the_mission_and_says_why(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply('{"headline": 7}'))]
    created = longline.client.create(mission(task("brief", output_schema=BRIEF)))
    failed = ended(longline, created["id"], "failed")
    check(longline, failed, model_server)
    assert failed["error"]["code"] == "result_rejected"
    assert "headline" in failed["error"]["message"]


def test_tasks_run_beside_each_other_and_each_keeps_its_own(
    longline: Longline, model_server: ModelServer
) -> None:
    texts = {name: f"{name} " * 30 for name in ("one", "two", "three")}
    model_server.rules = [
        *(Rule(Reply(text, delay_s=0.02), last=f"task {name}") for name, text in texts.items()),
        Rule(Reply("Together."), last="task sum"),
    ]
    beside = [task(name, async_execution=True) for name in texts]
    created = longline.client.create(mission(*beside, task("sum", context=list(texts))))
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    assert done["result"]["text"] == "Together."
    by_task = {
        name: "".join(e["data"]["delta"] for e in events if e["kind"] == "STREAM" and e["task"] == name)
        for name in texts
    }  # fmt: skip
    assert by_task == texts
    starts, first_end = positions(events, "task.started"), positions(events, "task.completed")[0]
    assert sum(start < first_end for start in starts) == 3  # they did run beside each other
    last = model_server.exchanges[-1].last_message
    assert all(text.strip() in last for text in texts.values())


def positions(events: list[dict[str, Any]], name: str) -> list[int]:
    return [i for i, event in enumerate(events) if event["name"] == name]


def test_three_rounds_of_feedback(longline: Longline, model_server: ModelServer) -> None:
    drafts = [f"Draft number {n}." for n in range(1, 5)]
    model_server.rules = [Rule(Reply(draft), times=1) for draft in drafts]
    created = longline.client.create(mission(task("draft", human_input=True)))
    for n, words in enumerate(["Shorter.", "Warmer.", "In rhyme.", ""]):
        question = longline.wait_for_question(created["id"])
        assert question["context"] == drafts[n]
        longline.client.answer(question["id"], words)
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    assert done["result"]["text"] == drafts[-1]
    assert names(events, "HUMAN_RESPONSE") == ["answered"] * 4
    asked = [e["data"]["id"] for e in events if e["kind"] == "HUMAN_INPUT_REQUEST"]
    answered = [e["data"]["request"] for e in events if e["kind"] == "HUMAN_RESPONSE"]
    assert asked == answered
    for words, exchange in zip(
        ["Shorter.", "Warmer.", "In rhyme."], model_server.exchanges[1:], strict=True
    ):
        assert words in exchange.last_message


def test_a_tool_call_is_approved_with_edited_arguments(
    longline: Longline, model_server: ModelServer
) -> None:
    call = ToolCall("calculator", {"expression": "6 * 7"})
    model_server.rules = [
        Rule(Reply(tool_calls=[call]), last="task sum", times=1),
        Rule(Reply("It is 56."), last="56"),
    ]
    gated = agent(tools=[{"name": "calculator", "approve": True}])
    created = longline.client.create(mission(task("sum"), agents=[gated]))
    question = longline.wait_for_question(created["id"])
    assert question["type"] == "approval"
    edited = {"decision": "edit", "args": {"expression": "7 * 8"}, "comment": "Sevens."}
    longline.client.answer(question["id"], edited)
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    assert done["result"]["text"] == "It is 56."
    (finished,) = [e for e in events if e["name"] == "tool.finished"]
    assert finished["data"]["args"] == {"expression": "7 * 8"}
    assert finished["data"]["output"].endswith("56")


def test_a_rejected_tool_call_is_not_made_and_the_comment_reaches_the_agent(
    longline: Longline, model_server: ModelServer
) -> None:
    call = ToolCall("calculator", {"expression": "6 * 7"})
    model_server.rules = [
        Rule(Reply(tool_calls=[call]), last="task sum", times=1),
        Rule(Reply("In my head: 42."), last="Use your head."),
    ]
    gated = agent(tools=[{"name": "calculator", "approve": True}])
    created = longline.client.create(mission(task("sum"), agents=[gated]))
    question = longline.wait_for_question(created["id"])
    refused = {"decision": "reject", "comment": "Use your head."}
    longline.client.answer(question["id"], refused)
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    assert done["result"]["text"] == "In my head: 42."
    assert "tool.blocked" in names(events, "ACTION")
    assert "tool.finished" not in names(events, "ACTION")


def delegation(work: str, coworker: str) -> Reply:
    arguments = {"task": work, "context": "None.", "coworker": coworker}
    return Reply(tool_calls=[ToolCall("delegate_work_to_coworker", arguments)])


def test_a_manager_delegates_to_agents_that_use_their_own_tools(
    longline: Longline, model_server: ModelServer
) -> None:
    sum_up = Reply(tool_calls=[ToolCall("calculator", {"expression": "6 * 7"})])
    model_server.rules = [
        Rule(sum_up, last="Count the pumps.", times=1),
        Rule(Reply("There are 42 pumps."), last="42", system="The counter", times=1),
        Rule(Reply("A poem on pumps."), last="Write a poem.", times=1),
        Rule(delegation("Count the pumps.", "The counter"), system="Crew Manager", times=1),
        Rule(delegation("Write a poem.", "The poet"), last="42 pumps", times=1),
        Rule(Reply("42 pumps, and a poem."), last="A poem on pumps."),
    ]
    crew = [agent("counter", tools=["calculator"]), agent("poet")]
    spec = mission(task("all", agent=None), agents=crew, process="hierarchical")
    created = longline.client.create(spec)
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    assert done["result"]["text"] == "42 pumps, and a poem."
    started = [e["agent"] for e in events if e["name"] == "agent.started"]
    assert started == ["Crew Manager", "counter", "poet"]
    (calculated,) = [
        e for e in events if e["name"] == "tool.finished" and e["data"]["tool"] == "calculator"
    ]
    assert (calculated["agent"], calculated["task"]) == ("counter", "all")
    assert set(done["usage"]["agents"]) == {"Crew Manager", "counter", "poet"}


def test_a_plan_is_made_first_and_told_to_the_agents(
    longline: Longline, model_server: ModelServer
) -> None:
    steps = [{"task_number": 1, "task": "draft", "plan": "Look first, then write."}]
    model_server.rules = [
        Rule(Reply(json.dumps({"list_of_plans_per_task": steps})), system="Execution Planner"),
        Rule(Reply("Seen and written."), last="Look first, then write."),
    ]
    created = longline.client.create(mission(planning=True))
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    assert done["result"]["text"] == "Seen and written."
    assert done["progress"] == {"done": 1, "total": 1}  # the planner's task is no task of the plan
    (plan,) = [e for e in events if (e["kind"], e["name"]) == ("THOUGHT", "plan")]
    assert "Look first, then write." in plan["data"]["text"]


def test_an_agent_hands_work_to_another_one(longline: Longline, model_server: ModelServer) -> None:
    model_server.rules = [
        Rule(Reply("A fact."), last="Find a fact."),
        Rule(delegation("Find a fact.", "The finder"), last="task draft", times=1),
        Rule(Reply("A text with a fact."), last="A fact."),
    ]
    crew = [agent("writer", allow_delegation=True), agent("finder")]
    created = longline.client.create(mission(task("draft"), agents=crew))
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    assert done["result"]["text"] == "A text with a fact."
    assert [e["agent"] for e in events if e["name"] == "agent.started"] == ["writer", "finder"]


def test_a_result_that_breaks_its_rule_is_written_again(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [
        Rule(Reply('{"valid": false, "feedback": "Too loud."}'), any="It must be quiet.", times=1),
        Rule(Reply('{"valid": true, "feedback": null}'), any="It must be quiet.", times=1),
        Rule(Reply("LOUD"), last="task draft", times=1),
        Rule(Reply("quiet")),
    ]
    created = longline.client.create(mission(task("draft", guardrail="It must be quiet.")))
    done = ended(longline, created["id"])
    check(longline, done, model_server)
    assert done["result"]["text"] == "quiet"
