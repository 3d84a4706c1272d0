"""A new attempt begins at the first task that is not finished, and knows what the others said."""

from collections.abc import Callable

import pytest

from service.agents.context import MissionResult, TaskResult
from service.events.kinds import Kind
from tests.agents.given import agent, mission, task
from tests.agents.recording import RecordingContext
from tests.model_server import ModelServer

pytestmark = pytest.mark.agents

Run = Callable[[RecordingContext], MissionResult]

PLAN = [task("first", "writer"), task("second", "writer"), task("third", "writer")]


def finished(**texts: str) -> dict[str, TaskResult]:
    return {name: TaskResult(name, "writer", text) for name, text in texts.items()}


def test_a_finished_task_is_not_run_again(run: Run, server: ModelServer) -> None:
    context = RecordingContext(
        mission([agent("writer")], PLAN), finished=finished(first="ALPHA", second="BETA")
    )
    run(context)
    assert len(server.exchanges) == 1
    assert [result.task for result in context.results] == ["third"]
    skipped = context.of(Kind.STATUS, "task.skipped")
    assert [event.task for event in skipped] == ["first", "second"]
    assert all(event.data["reason"] for event in skipped)


def test_what_finished_tasks_said_reads_as_in_a_run_without_a_break(
    run: Run, server: ModelServer
) -> None:
    spec = mission([agent("writer")], PLAN)
    whole = RecordingContext(spec)
    run(whole)
    unbroken = server.exchanges[2].request
    told = {result.task: result for result in whole.results if result.task != "third"}
    run(RecordingContext(spec, finished=told))
    assert server.exchanges[3].request == unbroken


def test_a_named_context_reaches_a_finished_task(run: Run, server: ModelServer) -> None:
    plan = [*PLAN[:2], task("third", "writer", context=["first"])]
    context = RecordingContext(
        mission([agent("writer")], plan), finished=finished(first="ALPHA", second="BETA")
    )
    run(context)
    assert "ALPHA" in server.exchanges[0].last_message
    assert "BETA" not in server.exchanges[0].last_message


def test_a_mission_whose_tasks_are_all_finished_has_its_result_without_a_model(
    run: Run, server: ModelServer
) -> None:
    done = finished(first="ALPHA", second="BETA", third="GAMMA")
    context = RecordingContext(mission([agent("writer")], PLAN), finished=done)
    assert run(context).text == "GAMMA"
    assert server.exchanges == []
