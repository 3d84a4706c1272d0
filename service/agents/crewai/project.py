"""Runs a project's own crew or flow, as it is. What it says and asks goes the way of all missions."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from crewai import Crew, CrewOutput
from crewai.core.providers.human_input import reset_provider, set_provider
from crewai.events.stream_context import add_stream_sink, reset_stream_sinks
from crewai.flow.async_feedback.types import HumanFeedbackPending
from crewai.flow.flow import Flow
from crewai.tasks.task_output import TaskOutput
from crewai.utilities.constants import NOT_SPECIFIED

from service.agents import terminal
from service.agents.context import MissionFailed, MissionResult, TaskResult
from service.agents.crewai import reading
from service.agents.crewai.cast import Cast
from service.agents.crewai.events import EventSink
from service.agents.crewai.failures import explain
from service.agents.crewai.flow_human import flow_answered_by_human
from service.agents.crewai.human import Review
from service.agents.crewai.llm import streaming_whole
from service.agents.crewai.stage import Calls, Stage
from service.agents.guard import GuardedContext, unwrapped
from service.events.kinds import Kind

SKIPPED = "An earlier attempt finished this task."

_log = logging.getLogger(__name__)


def run(context: GuardedContext, kind: str, thing: Any, inputs: dict[str, Any]) -> MissionResult:
    """kind: crew or flow. Raises MissionFailed, Interrupted, or what the project raised.

    A crew goes on behind its finished tasks. A flow begins anew: its state was in memory; but
    what a human has answered is not asked again.
    """
    stage = Stage()
    cast = Cast(context, stage)
    with _directed(context, stage, cast):
        try:
            if kind == "crew":
                return _run_crew(context, stage, cast, thing, inputs)
            return _run_flow(thing, inputs)
        except Exception as error:
            failure = explain(error)
            if failure is None:
                raise
            _log.info("The project failed", exc_info=True)
            raise failure.as_exception() from None


@contextmanager
def _directed(context: GuardedContext, stage: Stage, cast: Cast) -> Iterator[None]:
    with ExitStack() as cleanup:
        cleanup.enter_context(unwrapped())
        sink = add_stream_sink(EventSink(context, stage, Calls(), (), cast))
        cleanup.callback(reset_stream_sinks, sink)
        provider = set_provider(Review(context, stage))
        cleanup.callback(reset_provider, provider)
        cleanup.enter_context(streaming_whole())
        cleanup.enter_context(flow_answered_by_human(context, stage))
        cleanup.enter_context(terminal.answered_by_human(context, stage))
        yield


def _run_crew(
    context: GuardedContext, stage: Stage, cast: Cast, crew: Crew, inputs: dict[str, Any]
) -> MissionResult:
    crew.stream = False  # it would change what kickoff returns; the sink streams
    cast.admit(crew, inputs)
    finished = context.finished_tasks()
    names = [stage.name_of(task.id) or "" for task in crew.tasks]
    if names and all(name in finished for name in names):
        last = finished[names[-1]]
        return MissionResult(last.text, last.json)
    for name in (name for name in names if name in finished):
        context.emit(Kind.STATUS, "task.skipped", {"reason": SKIPPED}, task=name)
    _leave_out(crew, names, finished)
    output = crew.kickoff(inputs=inputs)
    assert isinstance(output, CrewOutput)
    return MissionResult(*reading.result(output))


def _leave_out(crew: Crew, names: list[str], finished: Mapping[str, TaskResult]) -> None:
    """Take what is done out of a crew, and hand its outputs to the tasks that are left."""
    left = []
    for place, (task, name) in enumerate(zip(crew.tasks, names, strict=True)):
        if name in finished:
            task.output = _output(task, finished[name])
            continue
        if finished and task.context is NOT_SPECIFIED:  # would see only the tasks of this crew
            task.context = list(crew.tasks[:place])
        left.append(task)
    crew.tasks = left


def _output(task: Any, result: TaskResult) -> TaskOutput:
    return TaskOutput(
        name=task.name,
        description=task.description,
        expected_output=task.expected_output,
        raw=result.text,
        json_dict=result.json if isinstance(result.json, dict) else None,
        agent=result.agent or "",
    )


def _run_flow(flow: Flow[Any], inputs: dict[str, Any]) -> MissionResult:
    flow.stream = False
    output = flow.kickoff(inputs=inputs or None)
    if isinstance(output, HumanFeedbackPending):
        message = "The flow hands its question to a provider of its own, and waits for that."
        raise MissionFailed("flow_paused", message)
    text, json = reading.result(output)
    return MissionResult(text, json)
