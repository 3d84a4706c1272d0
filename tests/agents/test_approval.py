"""Tools that an agent may use only when a human allows each call."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from service.agents.context import MissionFailed, MissionResult
from service.events.kinds import Kind
from tests.agents.given import agent, mission, single, task
from tests.agents.recording import RecordingContext, nobody, said, said_earlier
from tests.agents.recording import Reply as Answering
from tests.model_server import ModelServer, Reply, Rule, ToolCall

pytestmark = pytest.mark.agents

Run = Callable[[RecordingContext], MissionResult]

GATED = {"name": "calculator", "approve": True}


def calling(*expressions: str) -> list[Rule]:
    calls = [ToolCall("calculator", {"expression": expression}) for expression in expressions]
    return [Rule(Reply(tool_calls=calls), tools=True, times=1)]


def decided(
    run: Run, server: ModelServer, answer: Answering | BaseException
) -> tuple[RecordingContext, str]:
    """A mission with one gated call of `6 * 7`, and what the agent was told."""
    server.rules = calling("6 * 7")
    context = RecordingContext(single(tools=[GATED]), answers=[answer])
    run(context)
    return context, server.exchanges[1].last_message


def verdict(decision: str, **further: Any) -> dict[str, Any]:
    return {"decision": decision, **further}


def test_an_approved_call_is_made(run: Run, server: ModelServer) -> None:
    context, told = decided(run, server, said(verdict("approve")))
    (question,) = context.questions
    assert (question.key, question.type) == ("approve:draft:calculator:1", "approval")
    assert (question.agent, question.task) == ("writer", "draft")
    assert '"expression": "6 * 7"' in (question.context or "")
    assert told == "42"
    assert context.names(Kind.ACTION).count("tool.finished") == 1


def test_an_edited_call_is_made_with_the_humans_arguments(run: Run, server: ModelServer) -> None:
    context, told = decided(run, server, said(verdict("edit", args={"expression": "6 * 8"})))
    assert "48" in told
    assert "changed the arguments" in told
    (finished,) = context.of(Kind.ACTION, "tool.finished")
    assert finished.data["args"] == {"expression": "6 * 8"}


def test_a_rejected_call_is_not_made_and_the_agent_is_told_why(
    run: Run, server: ModelServer
) -> None:
    context, told = decided(run, server, said(verdict("reject", comment="Do it in your head.")))
    assert "did not allow" in told
    assert "Do it in your head." in told
    (blocked,) = context.of(Kind.ACTION, "tool.blocked")
    (started,) = context.of(Kind.ACTION, "tool.started")
    assert blocked.call == started.call
    assert blocked.data["reason"] == "Do it in your head."
    assert "tool.finished" not in context.names(Kind.ACTION)


@pytest.mark.parametrize("answer", [nobody, said(None), said("yes"), said(verdict("sure"))])
def test_without_a_clear_approval_the_call_is_not_made(
    run: Run, server: ModelServer, answer: Answering
) -> None:
    context, _ = decided(run, server, answer)
    assert "tool.blocked" in context.names(Kind.ACTION)


def test_a_question_that_fails_ends_the_mission_and_not_the_gate(
    run: Run, server: ModelServer
) -> None:
    server.rules = calling("6 * 7")
    context = RecordingContext(single(tools=[GATED]), answers=[MissionFailed("x", "expired")])
    with pytest.raises(MissionFailed):
        run(context)
    assert "tool.finished" not in context.names(Kind.ACTION)


def test_a_gate_that_breaks_stays_closed(
    run: Run, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.agents.crewai.approval._shown", lambda tool, args: 1 / 0)
    context, told = decided(run, server, said(verdict("approve")))
    assert "could not be approved" in told
    assert context.questions == []


def test_an_earlier_attempts_approval_holds_for_the_call_that_the_human_saw(
    run: Run, server: ModelServer
) -> None:
    seen = json.dumps({"tool": "calculator", "args": {"expression": "1 + 1"}})
    answer = said_earlier(verdict("approve"), context=f"```json\n{seen}\n```")
    context, told = decided(run, server, answer)
    (finished,) = context.of(Kind.ACTION, "tool.finished")
    assert finished.data["args"] == {"expression": "1 + 1"}
    assert "1 + 1" in told


def test_every_call_is_asked_for_also_the_same_one_again(run: Run, server: ModelServer) -> None:
    server.rules = calling("6 * 7") + calling("6 * 7", "6 * 8")
    context = RecordingContext(single(tools=[GATED]), answers=[said(verdict("approve"))] * 3)
    run(context)
    assert sorted(q.key for q in context.questions) == [
        f"approve:draft:calculator:{n}" for n in (1, 2, 3)
    ]


def test_only_the_agent_whose_tool_is_gated_is_asked_for(run: Run, server: ModelServer) -> None:
    server.rules = calling("1 + 1") + calling("2 + 2")
    agents = [agent("free", tools=["calculator"]), agent("gated", tools=[GATED])]
    spec = mission(agents, [task("first", "free"), task("second", "gated")])
    context = RecordingContext(spec, answers=[said(verdict("approve"))])
    server.rules[0].any, server.rules[1].any = "Do first.", "Do second."
    run(context)
    assert [q.agent for q in context.questions] == ["gated"]


def test_the_gate_is_gone_with_its_mission(run: Run, server: ModelServer) -> None:
    decided(run, server, said(verdict("approve")))
    server.rules = calling("2 + 2")
    run(RecordingContext(single(tools=["calculator"])))
