"""Missions from a spec on LangChain: the same words, questions and files as on CrewAI."""

import pytest

from tests.folding import differences, faults
from tests.missions import agent, mission, names, spoken, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]


def test_a_langchain_mission_asks_is_approved_reviewed_and_adds_up(
    longline: Longline, model_server: ModelServer
) -> None:
    ask = ToolCall("ask_human", {"question": "Which tone?"})
    work_out = ToolCall("calculator", {"expression": "1+1"})
    model_server.rules = [
        Rule(Reply(tool_calls=[ask]), last="task sum", times=1),
        Rule(Reply(tool_calls=[work_out]), last="calm", times=1),
        Rule(Reply("It is 42."), last="42", times=1),
        Rule(Reply("Shorter."), last="too long", times=1),
        Rule(Reply("A long draft."), last="task draft"),
    ]
    gated = {"name": "calculator", "approve": True}
    spec = mission(
        task("sum"),
        task("draft", human_input=True),
        agents=[agent(tools=["ask_human", gated])],
        engine="langchain",
    )
    created = longline.client.create(spec)
    answers = ["calm", {"decision": "edit", "args": {"expression": "6*7"}}, "too long", ""]
    for answer in answers:
        question = longline.wait_for_question(created["id"])
        longline.client.answer(question["id"], answer)
    ended = longline.wait_for_status(created["id"], "completed", "failed")

    events = longline.events(created["id"])
    assert ended["status"] == "completed", ended["error"]
    assert ended["result"]["text"] == "Shorter."
    assert ended["progress"] == {"done": 2, "total": 2}
    assert list(spoken(events).values()) == [text for text in model_server.texts() if text]
    for name in ("prompt_tokens", "completion_tokens"):
        assert ended["usage"][name] == model_server.total(name)
    assert names(events, "HUMAN_RESPONSE") == ["answered"] * 4
    assert differences(events, ended) == {}
    assert faults(events) == []


def test_a_langchain_mission_goes_on_in_the_middle_of_a_task(
    longline: Longline, model_server: ModelServer
) -> None:
    ask = ToolCall("ask_human", {"question": "Which tone?"})
    model_server.rules = [
        Rule(Reply(tool_calls=[ask]), last="task draft", times=1),
        Rule(Reply("Calm words."), last="calm"),
    ]
    spec = mission(agents=[agent(tools=["ask_human"])], engine="langchain")
    created = longline.client.create(spec)
    longline.wait_for_question(created["id"])
    longline.kill("worker")
    longline.start("worker")
    longline.client.answer(longline.wait_for_question(created["id"])["id"], "calm")
    ended = longline.wait_for_status(created["id"], "completed", "failed")

    events = longline.events(created["id"])
    assert ended["result"]["text"] == "Calm words."
    assert ended["attempt"] == 2
    assert len(model_server.exchanges) == 2, "the model was not asked the first time again"
    assert names(events, "HUMAN_RESPONSE") == ["answered"]
    assert differences(events, ended) == {}
    assert faults(events) == []
