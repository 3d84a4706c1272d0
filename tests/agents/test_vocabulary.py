"""Nothing that crewai can say is forgotten: each of its events has a place, or a reason to have none."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

from service.events.kinds import Kind
from tests.agents.given import single
from tests.agents.recording import RecordingContext

pytestmark = pytest.mark.agents


def event_types() -> Iterator[str]:
    """The type of every event class of the installed crewai, SigTermEvent to SkillUsedEvent."""
    import crewai.events.types
    from crewai.events.base_events import BaseEvent

    for package in (crewai.events, crewai.events.types):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for event in subclasses(BaseEvent):
        if isinstance(name := event.model_fields["type"].default, str):
            yield name


def subclasses(parent: type[Any]) -> Iterator[type[Any]]:
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_event_of_crewai_is_recorded_or_left_out_for_a_reason(prepared: None) -> None:
    from service.agents.crewai.events import CREWS, HANDLERS
    from service.agents.crewai.vocabulary import LEFT_OUT, SIMPLE

    known = set(event_types())
    decided = [set(CREWS), set(HANDLERS), set(SIMPLE), set(LEFT_OUT)]

    assert len(known) >= 150
    assert known - set().union(*decided) == set(), "nobody has decided about these"
    assert set().union(*decided) - known == set(), "crewai has these no more"
    assert sum(map(len, decided)) == len(set().union(*decided)), "decided about twice"
    assert all(LEFT_OUT.values())


def test_every_field_that_is_recorded_is_one_of_the_event(prepared: None) -> None:
    from crewai.events.base_events import BaseEvent

    from service.agents.crewai.vocabulary import SIMPLE

    list(event_types())
    fields = {
        event.model_fields["type"].default: set(event.model_fields)
        for event in subclasses(BaseEvent)
    }
    assert [(n, f) for n, e in SIMPLE.items() for f in e.fields if f not in fields[n]] == []


def recorded(*events: Any) -> RecordingContext:
    """What the log has of events that crewai emits."""
    from crewai.events import crewai_event_bus
    from crewai.events.stream_context import add_stream_sink, reset_stream_sinks

    from service.agents.crewai.events import EventSink
    from service.agents.crewai.stage import Calls, Stage
    from service.agents.guard import GuardedContext

    context = RecordingContext(single())
    sink = add_stream_sink(EventSink(GuardedContext(context), Stage(), Calls(), ()))
    try:
        for event in events:
            crewai_event_bus.emit(object(), event)
    finally:
        reset_stream_sinks(sink)
    return context


def test_a_call_of_memory_knowledge_or_mcp_is_one_call_from_start_to_end(prepared: None) -> None:
    from crewai.events.types import knowledge_events, mcp_events, memory_events

    pairs = [
        (
            memory_events.MemorySaveStartedEvent(value="It rains.", source_type="memory"),
            memory_events.MemorySaveCompletedEvent(value="It rains.", save_time_ms=3.0),
        ),
        (
            knowledge_events.KnowledgeQueryStartedEvent(task_prompt="Rain?"),
            knowledge_events.KnowledgeQueryFailedEvent(error="no store"),
        ),
        (
            mcp_events.MCPToolExecutionStartedEvent(server_name="s", tool_name="t"),
            mcp_events.MCPToolExecutionCompletedEvent(server_name="s", tool_name="t", result="7"),
        ),
    ]
    for started, ended in pairs:
        opened, closed = recorded(started, ended).of(Kind.ACTION)
        assert opened.call == closed.call
        assert opened.name.endswith(".started")
        assert closed.name.endswith((".finished", ".failed"))
        assert "duration_ms" in closed.data


def test_what_a_planning_agent_notices_is_a_thought(prepared: None) -> None:
    from crewai.events.types.observation_events import (
        PlanReplanTriggeredEvent,
        StepObservationCompletedEvent,
    )

    step = {"step_number": 1, "step_description": "Look outside.", "agent_role": "Scout"}
    context = recorded(
        StepObservationCompletedEvent(**step, key_information_learned="It rains."),
        PlanReplanTriggeredEvent(**step, replan_reason="Too wet."),
    )
    thoughts = [(event.name, event.data["text"]) for event in context.of(Kind.THOUGHT)]
    assert thoughts == [("observation", "It rains."), ("plan", "Too wet.")]


def test_a_guardrail_and_a_remote_delegation_are_actions(prepared: None) -> None:
    from crewai.events.types.a2a_events import A2ADelegationStartedEvent
    from crewai.events.types.llm_guardrail_events import (
        LLMGuardrailCompletedEvent,
        LLMGuardrailStartedEvent,
    )

    context = recorded(
        LLMGuardrailStartedEvent(guardrail="No rain.", retry_count=0),
        LLMGuardrailCompletedEvent(success=False, result=None, error="It rains.", retry_count=0),
        A2ADelegationStartedEvent(
            endpoint="https://e.example", task_description="Count.", agent_id="x"
        ),
    )
    assert context.names(Kind.ACTION) == [
        "guardrail.started",
        "guardrail.finished",
        "delegate.started",
    ]
    assert context.of(Kind.ACTION)[1].data["error"] == "It rains."
