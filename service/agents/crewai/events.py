"""crewai's events in the words of the log. A sink: called in order, in the thread that emits.

Decides nothing about the crew, but for two things that only an event gives a hold on: streaming
is switched on, and an agent whose model will refuse it for ever is not tried again.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

from service.agents.context import TaskResult
from service.agents.crewai import reading
from service.agents.crewai.cast import Cast
from service.agents.crewai.failures import Failure, explain
from service.agents.crewai.stage import Call, Calls, Stage
from service.agents.crewai.vocabulary import SIMPLE, Entry
from service.agents.guard import GuardedContext
from service.agents.values import jsonable, shortened
from service.events.kinds import Kind
from service.events.text import repair

NOT_A_THOUGHT = (
    "Failed to parse LLM response"  # crewai's, for an answer in no format: the usual one
)

_log = logging.getLogger(__name__)


class EventSink:
    """Takes crewai's events (type names as in crewai.events) to a RunContext."""

    def __init__(
        self,
        context: GuardedContext,
        stage: Stage,
        calls: Calls,
        secrets: tuple[str, ...],
        cast: Cast | None = None,
    ) -> None:
        self._context = context
        self._stage = stage
        self._calls = calls
        self._secrets = secrets
        self._cast = cast

    def __call__(self, source: object, event: Any) -> None:
        """Raises Interrupted, or Stopped when the context fails; nothing else goes into the crew."""
        self._context.check_cancelled()
        if reading.is_machinery(source, event):
            return
        if event.type == "llm_call_started":
            reading.stream(source)
        handle = HANDLERS.get(event.type)
        crew = CREWS.get(event.type)
        simple = SIMPLE.get(event.type)
        try:
            if crew is not None and self._cast is not None:
                crew(self._cast, source, event)
            elif handle is not None:
                handle(self, event)
            elif simple is not None:
                self._note(simple, event)
        except Exception:  # noqa: BLE001 - a crew must not fail because we cannot describe it
            _log.exception("The event %s of crewai could not be recorded", event.type)

    def _note(self, entry: Entry, event: Any) -> None:
        """An event of the vocabulary: its attributes as they are, its end tied to its start."""
        data = {name: jsonable(getattr(event, name, None)) for name in entry.fields}
        if entry.kind is Kind.THOUGHT:
            text = "\n".join(reading.line(value) for value in data.values() if value)
            if text:
                self._emit(entry.kind, entry.name, event, {"text": text})
            return
        call = None
        if entry.opens:
            call = self._calls.open(event.event_id)
        elif entry.closes:
            call = self._calls.close(event.started_event_id or event.event_id)
            data["duration_ms"] = call.duration_ms()
        self._emit(entry.kind, entry.name, event, data, call)

    def _emit(
        self, kind: Kind, name: str, event: Any, data: dict[str, Any], call: Call | None = None
    ) -> None:
        self._context.emit(
            kind,
            name,
            data,
            agent=self._stage.name_of(event.agent_id) or self._stage.agent,
            task=self._stage.name_of(event.task_id) or self._stage.task,
            call=call.id if call else None,
        )

    def _failure(self, otherwise: str) -> Failure:
        # crewai emits its failure events while it handles the exception, but does not hand it on.
        known = explain(sys.exception(), self._secrets)
        return known or Failure("agent_error", otherwise, retryable=False)

    # Flows

    def step_started(self, event: Any) -> None:
        if self._cast is not None:
            self._cast.step_began(event.event_id, event.method_name)
            self._emit(Kind.STATUS, "task.started", event, {})

    def step_finished(self, event: Any) -> None:
        name = self._cast and self._cast.step_ended(event.started_event_id)
        if self._cast is not None and name:
            text, json = reading.result(event.result)
            self._cast.finish(TaskResult(name, None, text, json))

    def step_failed(self, event: Any) -> None:
        if self._cast is not None and self._cast.step_ended(event.started_event_id):
            self.task_failed(event)

    # Tasks and agents

    def _name(self, agent: Any) -> str:
        """The mission's name; crewai's for the manager, which no mission names."""
        return self._stage.name_of(agent.id) or str(agent.role)

    def task_started(self, event: Any) -> None:
        name = self._stage.name_of(event.task_id)
        if name is None:  # the planner's, or of a crew inside a tool
            return
        self._stage.task = name
        self._emit(Kind.STATUS, "task.started", event, {})

    def task_completed(self, event: Any) -> None:
        name = self._stage.name_of(event.task_id)
        if name is None:
            if reading.is_plan(event):
                self._emit(Kind.THOUGHT, "plan", event, {"text": shortened(event.output.raw)})
            return
        output = event.output
        agent = self._name(event.task.agent)
        text = repair(output.raw)
        self._context.finish_task(TaskResult(name, agent, text, reading.structured(output)))

    def task_failed(self, event: Any) -> None:
        failure = self._failure("The task failed.")
        self._emit(Kind.STATUS, "task.failed", event, {"reason": failure.message})
        self._emit(Kind.ERROR, "task", event, failure.as_data())

    def agent_started(self, event: Any) -> None:
        self._stage.enter(self._name(event.agent))
        self._emit(Kind.STATUS, "agent.started", event, {})

    def agent_completed(self, event: Any) -> None:
        agent = getattr(event, "agent", None)  # one without a crew is not in its event
        if agent is not None:
            agent._times_executed = 0  # crewai counts failures over all of an agent's tasks
        self._emit(Kind.STATUS, "agent.completed", event, {})
        self._stage.leave()

    def agent_failed(self, event: Any) -> None:
        failure = self._failure("The agent failed.")
        agent = getattr(event, "agent", None)
        if failure.hopeless and agent is not None:
            agent.max_retry_limit = 0  # read right after this event
        self._emit(Kind.STATUS, "agent.failed", event, {"reason": failure.message})
        self._stage.leave()

    def lone_agent_started(self, event: Any) -> None:
        """An agent without a crew, as flows and scripts use it."""
        self._stage.enter(str(event.agent_info.get("role") or "Agent").strip())
        self._emit(Kind.STATUS, "agent.started", event, {})

    # Thoughts

    def answer_logged(self, event: Any) -> None:
        thought = (getattr(event.formatted_answer, "thought", None) or "").strip()
        thought = thought.removeprefix("Thought:").strip()
        if thought and thought != NOT_A_THOUGHT:
            self._emit(Kind.THOUGHT, "reasoning", event, {"text": shortened(thought)})

    def planned(self, event: Any) -> None:
        self._emit(Kind.THOUGHT, "plan", event, {"text": shortened(event.plan)})

    def thinking_chunk(self, event: Any) -> None:
        self._calls.open(event.call_id).thinking.append(event.chunk)

    def _emit_thinking(self, event: Any, call: Call) -> None:
        if call.thinking:
            text = shortened("".join(call.thinking))
            self._emit(Kind.THOUGHT, "reasoning", event, {"text": text}, call)

    # Calls of a model

    def llm_started(self, event: Any) -> None:
        call = self._calls.open(event.call_id)
        data = {"model": event.model, "messages": reading.trimmed(event.messages)}
        if event.tools:
            data["tools"] = [reading.tool_name(tool) for tool in event.tools]
        self._emit(Kind.ACTION, "llm.started", event, data, call)

    def llm_chunk(self, event: Any) -> None:
        """One delta as it came: never shortened, or the joined deltas would not be the text."""
        if not event.chunk:
            return
        call = self._calls.open(event.call_id)
        call.streamed = True
        name = "text" if event.tool_call is None else "tool_args"
        self._emit(Kind.STREAM, name, event, {"delta": event.chunk}, call)

    def llm_completed(self, event: Any) -> None:
        call = self._calls.close(event.call_id)
        if isinstance(event.response, str) and event.response and not call.streamed:
            self._emit(Kind.STREAM, "text", event, {"delta": event.response}, call)
        self._emit_thinking(event, call)
        data = {
            "model": event.model,
            "finish_reason": event.finish_reason,
            "duration_ms": call.duration_ms(),
        }
        self._emit(Kind.ACTION, "llm.finished", event, data, call)
        self._emit(Kind.USAGE, "call", event, reading.usage(event), call)

    def llm_failed(self, event: Any) -> None:
        call = self._calls.close(event.call_id)
        self._emit_thinking(event, call)
        failure = self._failure("The call of the model failed.")
        data = {
            "model": event.model,
            "error": failure.message,
            "duration_ms": call.duration_ms(),
        }
        self._emit(Kind.ACTION, "llm.failed", event, data, call)
        self._emit(Kind.ERROR, "llm", event, failure.as_data(), call)

    # Calls of a tool

    def tool_started(self, event: Any) -> None:
        call = self._calls.open(event.event_id)
        self._calls.enter_thread(call)
        self._emit(Kind.ACTION, "tool.started", event, reading.tool_data(event), call)
        if event.tool_name in reading.DELEGATING:
            self._emit(Kind.ACTION, "delegate.started", event, reading.delegated(event), call)

    def tool_finished(self, event: Any) -> None:
        call = self._tool_ended(event)
        if call.blocked:  # tool.blocked was its end
            return
        data = reading.tool_data(event) | {"duration_ms": call.duration_ms()}
        if event.failure is not None:
            self._tool_failure(event, data, shortened(str(event.output)), call)
            return
        data["output"] = jsonable(event.output)
        if event.tool_name in reading.DELEGATING:
            self._emit(Kind.ACTION, "delegate.finished", event, reading.delegated(event), call)
        self._emit(Kind.ACTION, "tool.finished", event, data, call)

    def tool_failed(self, event: Any) -> None:
        call = self._tool_ended(event)
        data = reading.tool_data(event) | {"duration_ms": call.duration_ms()}
        self._tool_failure(event, data, shortened(str(event.error)), call)

    def _tool_ended(self, event: Any) -> Call:
        self._calls.leave_thread()
        return self._calls.close(event.started_event_id or event.event_id)

    def _tool_failure(self, event: Any, data: dict[str, Any], error: str, call: Call) -> None:
        self._emit(Kind.ACTION, "tool.failed", event, data | {"error": error}, call)
        failure = Failure("tool_error", error, retryable=True)
        self._emit(Kind.ERROR, "tool", event, failure.as_data(), call)


# Their source is the crew; they do not name it.
CREWS: Mapping[str, Callable[[Cast, Any, Any], None]] = {
    "crew_kickoff_started": lambda cast, crew, event: cast.admit(crew, event.inputs or {}),
    "crew_kickoff_completed": lambda cast, crew, _event: cast.dismiss(crew),
    "crew_kickoff_failed": lambda cast, crew, _event: cast.dismiss(crew),
}

HANDLERS: Mapping[str, Callable[[EventSink, Any], None]] = {
    "method_execution_started": EventSink.step_started,
    "method_execution_finished": EventSink.step_finished,
    "method_execution_failed": EventSink.step_failed,
    "task_started": EventSink.task_started,
    "task_completed": EventSink.task_completed,
    "task_failed": EventSink.task_failed,
    "agent_execution_started": EventSink.agent_started,
    "agent_execution_completed": EventSink.agent_completed,
    "agent_execution_error": EventSink.agent_failed,
    "lite_agent_execution_started": EventSink.lone_agent_started,
    "lite_agent_execution_completed": EventSink.agent_completed,
    "lite_agent_execution_error": EventSink.agent_failed,
    "agent_logs_execution": EventSink.answer_logged,
    "agent_reasoning_completed": EventSink.planned,
    "llm_thinking_chunk": EventSink.thinking_chunk,
    "llm_call_started": EventSink.llm_started,
    "llm_stream_chunk": EventSink.llm_chunk,
    "llm_call_completed": EventSink.llm_completed,
    "llm_call_failed": EventSink.llm_failed,
    "tool_usage_started": EventSink.tool_started,
    "tool_usage_finished": EventSink.tool_finished,
    "tool_usage_error": EventSink.tool_failed,
}
