"""Runs a project's own crew or flow, as it is. What it says and asks goes the way of all missions."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from crewai import Crew, Task
from crewai.core.providers.human_input import reset_provider, set_provider
from crewai.events.stream_context import add_stream_sink, reset_stream_sinks
from crewai.events.utils.console_formatter import set_suppress_console_output
from crewai.flow.async_feedback.types import HumanFeedbackPending
from crewai.flow.flow import Flow

from service.agents import terminal
from service.agents.context import MissionFailed, MissionResult
from service.agents.crewai import reading
from service.agents.crewai.cast import Cast
from service.agents.crewai.events import EventSink
from service.agents.crewai.executors import state_made_once
from service.agents.crewai.failures import explain
from service.agents.crewai.flow_human import flow_answered_by_human
from service.agents.crewai.human import Review
from service.agents.crewai.kept import keep
from service.agents.crewai.llm import streaming_whole
from service.agents.crewai.stage import Calls, Stage
from service.agents.crewai.tasks import skips_told, threads_hand_on_all
from service.agents.guard import GuardedContext, unwrapped
from service.events.kinds import Kind

SKIPPED = "An earlier attempt finished this task."
UNMET = "Its condition was not met."

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
        set_suppress_console_output(True)  # its panels show what events tell already
        cleanup.callback(set_suppress_console_output, False)
        sink = add_stream_sink(EventSink(context, stage, Calls(), (), cast))
        cleanup.callback(reset_stream_sinks, sink)
        provider = set_provider(Review(context, stage))
        cleanup.callback(reset_provider, provider)
        cleanup.enter_context(streaming_whole())
        cleanup.enter_context(threads_hand_on_all())
        cleanup.enter_context(state_made_once())
        cleanup.enter_context(skips_told(lambda task: _skip(context, stage, task, UNMET)))
        cleanup.enter_context(flow_answered_by_human(context, stage))
        cleanup.enter_context(terminal.answered_by_human(context, stage))
        yield


def _run_crew(
    context: GuardedContext, stage: Stage, cast: Cast, crew: Crew, inputs: dict[str, Any]
) -> MissionResult:
    crew.stream = False  # it would change what kickoff returns; the sink streams
    cast.admit(crew, inputs)
    finished = context.finished_tasks()
    for task in keep(crew, lambda task: finished.get(stage.name_of(task.id) or "")):
        _skip(context, stage, task, SKIPPED)
    # A hook behind the kickoff may have made anything of the crew's output.
    return MissionResult(*reading.result(crew.kickoff(inputs=inputs)))


def _skip(context: GuardedContext, stage: Stage, task: Task, reason: str) -> None:
    context.emit(Kind.STATUS, "task.skipped", {"reason": reason}, task=stage.name_of(task.id))


def _run_flow(flow: Flow[Any], inputs: dict[str, Any]) -> MissionResult:
    flow.stream = False
    output = flow.kickoff(inputs=inputs or None)
    if isinstance(output, HumanFeedbackPending):
        message = "The flow hands its question to a provider of its own, and waits for that."
        raise MissionFailed("flow_paused", message)
    return MissionResult(*reading.result(output))
