"""Runs a mission as a crew, from its first unfinished task on."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from crewai import Crew, CrewOutput
from crewai.core.providers.human_input import reset_provider, set_provider
from crewai.events.stream_context import add_stream_sink, reset_stream_sinks
from crewai.llms.base_llm import BaseLLM

from service.agents import models, terminal
from service.agents.context import MissionResult, RunContext, TaskResult
from service.agents.crewai import clients
from service.agents.crewai.approval import Approvals
from service.agents.crewai.crew import Staff, build
from service.agents.crewai.events import EventSink
from service.agents.crewai.executors import state_made_once
from service.agents.crewai.failures import explain
from service.agents.crewai.human import Review
from service.agents.crewai.llm import streaming_whole
from service.agents.crewai.stage import Calls, Stage
from service.agents.crewai.tasks import threads_hand_on_all
from service.agents.endpoint import Endpoint
from service.agents.guard import GuardedContext, unwrapped
from service.agents.values import jsonable
from service.config import Settings
from service.events.kinds import Kind
from service.events.text import repair
from service.missions.spec import MissionSpec

SKIPPED = "An earlier attempt finished this task."

_log = logging.getLogger(__name__)


def run(context: RunContext, spec: MissionSpec, settings: Settings) -> MissionResult:
    """Run what is left of the mission. Raises MissionFailed, Interrupted, or what crewai raised."""
    finished = context.finished_tasks()
    for name in (task.name for task in spec.plan if task.name in finished):
        context.emit(Kind.STATUS, "task.skipped", {"reason": SKIPPED}, task=name)
    if all(task.name in finished for task in spec.plan):
        last = finished[spec.plan[-1].name]
        return MissionResult(last.text, last.json)
    endpoints = _endpoints(spec, settings)
    with clients.opened(endpoints) as opened:
        return perform(
            context, spec, opened, settings, finished, secrets=models.secrets_of(endpoints)
        )


def perform(
    context: RunContext,
    spec: MissionSpec,
    opened: Mapping[str | None, BaseLLM],
    settings: Settings,
    finished: Mapping[str, TaskResult],
    *,
    secrets: tuple[str, ...] = (),
) -> MissionResult:
    """Run what is not finished, on these models, and tell the context. Raises as `run`.

    secrets: to be blotted out of what a model's endpoint says.
    """
    guarded, stage = GuardedContext(context), Stage()
    crew = build(spec, Staff(guarded, stage, opened, settings), finished)
    with _directed(guarded, stage, spec, secrets):
        return _kickoff(crew, spec, secrets)


def _endpoints(spec: MissionSpec, settings: Settings) -> dict[str | None, Endpoint]:
    """The endpoint of each model that the mission names, and of its default."""
    names = {spec.model, *(agent.model or spec.model for agent in spec.agents)}
    return {name: models.resolve(name, settings) for name in names}


def _gated(spec: MissionSpec) -> frozenset[tuple[str, str]]:
    return frozenset(
        (agent.name, use.name) for agent in spec.agents for use in agent.tool_uses() if use.approve
    )


@contextmanager
def _directed(
    context: GuardedContext, stage: Stage, spec: MissionSpec, secrets: tuple[str, ...]
) -> Iterator[None]:
    """What crewai emits, and whom it asks, is ours while this lasts."""
    calls = Calls()
    with ExitStack() as cleanup:
        cleanup.enter_context(unwrapped())
        sink = add_stream_sink(EventSink(context, stage, calls, secrets))
        cleanup.callback(reset_stream_sinks, sink)
        provider = set_provider(Review(context, stage))
        cleanup.callback(reset_provider, provider)
        cleanup.enter_context(streaming_whole())
        cleanup.enter_context(threads_hand_on_all())
        cleanup.enter_context(state_made_once())
        cleanup.enter_context(terminal.answered_by_human(context, stage))
        cleanup.enter_context(Approvals(context, stage, calls, _gated(spec)).asked())
        yield


def _kickoff(crew: Crew, spec: MissionSpec, secrets: tuple[str, ...]) -> MissionResult:
    try:
        output = crew.kickoff(inputs=dict(spec.inputs))
        assert isinstance(output, CrewOutput)  # not asked to stream; its sink does that
    except Exception as error:
        failure = explain(error, secrets)
        if failure is None:
            raise
        _log.info("The crew failed", exc_info=True)
        raise failure.as_exception() from None
    return MissionResult(repair(output.raw), jsonable(output.json_dict))
