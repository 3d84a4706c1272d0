"""A run without a framework: speaks, asks and finishes its tasks as a crew does, and costs nothing.

Twenty of them at once, with workers started anew all the time, are too much for two cores when each
brings crewai along. All but the engine is the real thing: forkserver, child, recorder, leases, questions.
"""

import sys
import time
from types import ModuleType
from typing import Any

from service.agents.context import MissionResult, RunContext, TaskResult
from service.events.kinds import Kind
from service.missions.spec import TaskSpec
from service.requests.question import Question
from tests.faults import shifted

WORDS = 24
PAUSE_S = 0.05  # between two words
ENTERED = "entered"  # the name of a run's first event


def enter(*arguments: Any) -> None:
    """As `entry.enter`, by the clock of the file and with this engine."""
    from service.worker import run

    shifted.shift()
    run.main(*arguments)


def instead_of_frameworks() -> None:
    """Put this engine where `worker.run` will look for one, so that no framework is imported."""
    module = ModuleType("service.agents.runner")
    module.run = speak  # type: ignore[attr-defined]
    module.rehearse = lambda: None  # type: ignore[attr-defined]
    sys.modules["service.agents.runner"] = module


def speak(context: RunContext, _settings: object) -> MissionResult:
    context.emit(Kind.LOG, ENTERED, {"line": "the run's function was entered"})
    done = dict(context.finished_tasks())
    result = TaskResult("", None, "")
    for task in context.spec.plan:
        if task.name in done:
            context.emit(Kind.STATUS, "task.skipped", {"reason": "done before"}, task=task.name)
        result = done.get(task.name) or _do(context, task)
    return MissionResult(result.text)


def _do(context: RunContext, task: TaskSpec) -> TaskResult:
    status = {"from": None, "to": "running", "reason": None}
    context.emit(Kind.STATUS, "task.started", status, agent=task.agent, task=task.name)
    text = _say(context, task)
    if task.human_input:
        context.ask(Question(f"review:{task.name}:1", "Is this right?", agent=task.agent))
    result = TaskResult(task.name, task.agent, text)
    context.finish_task(result)
    return result


def _say(context: RunContext, task: TaskSpec) -> str:
    about = {"agent": task.agent, "task": task.name, "call": f"c-{task.name}"}
    said = ""
    for n in range(WORDS):
        context.check_cancelled()
        context.emit(Kind.STREAM, "text", {"delta": f"word {n} "}, **about)
        said += f"word {n} "
        time.sleep(PAUSE_S)
    tokens = {"prompt_tokens": 10, "completion_tokens": WORDS, "cached_tokens": 0}
    usage = {"model": "scripted-1", **tokens, "reasoning_tokens": None}
    context.emit(Kind.USAGE, "call", usage, **about)
    return said
