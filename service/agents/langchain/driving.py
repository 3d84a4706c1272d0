"""Runs a graph to its end: from where it was left, over every question that it stops for."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from service.agents import terminal
from service.agents.crewai.failures import explain
from service.agents.guard import GuardedContext, unwrapped
from service.agents.langchain.asynchrony import needs_loop
from service.agents.langchain.checkpoints import Checkpoints
from service.agents.langchain.human import Questions
from service.agents.langchain.scene import Scene, Steps
from service.agents.langchain.streaming import streaming_whole

_log = logging.getLogger(__name__)


class Graph:
    """A compiled graph on our checkpoints, for one task. handlers: langchain's callbacks.

    steps: names of its steps, where each is a task by itself.
    """

    def __init__(
        self,
        graph: Any,
        checkpoints: Checkpoints,
        task: str,
        handlers: list[Any],
        asker: Questions,
        steps: Steps | None = None,
    ) -> None:
        own = getattr(graph, "checkpointer", None)
        if not own or isinstance(own, InMemorySaver):  # what is in memory goes with the process
            graph.checkpointer = checkpoints.saver
        self._graph = graph
        # One loop for all of its turns: what a step opens in a loop is of no use in another.
        self._loop = asyncio.Runner() if needs_loop(graph) else None
        self._checkpoints = checkpoints
        self._asker = asker
        self._steps = steps
        self._config = {**checkpoints.config(task), "callbacks": handlers}

    def run(self, given: Any) -> Any:
        """Its last state. An earlier attempt's run goes on where it was; given then counts no more."""
        state = self.state()
        if not (state.values or state.next):
            return self._go(given)
        if state.next:
            pending = [found for task in state.tasks for found in task.interrupts]
            return self._go(Command(resume=self._answers(pending)) if pending else None)
        return state.values

    def say(self, given: Any) -> Any:
        """Its last state after something further is said to it."""
        return self._go(given)

    def state(self) -> Any:
        return self._graph.get_state(self._config)

    def _go(self, given: Any) -> Any:
        result = self._invoke(given)
        while pending := _interrupts(result):
            result = self._invoke(Command(resume=self._answers(pending)))
        return result

    def _answers(self, pending: list[Any]) -> dict[str, Any]:
        """What a human says to each question, by langgraph's id of it."""
        answered = self._checkpoints.answered(self._config)
        steps = {found.id: task for task in self.state().tasks for found in task.interrupts}
        return {found.id: self._answer(found, steps.get(found.id), answered) for found in pending}

    def _answer(self, found: Any, step: Any, answered: dict[str, int]) -> Any:
        """step: the one that it stops, as langgraph knows it; None where it does not say."""
        if step is None:
            return self._asker.answer(found, 1)
        task = self._steps.name(step.name, f"{step.name}:{step.id}") if self._steps else None
        return self._asker.answer(found, answered.get(step.id, 0) + 1, task=task)

    def _invoke(self, given: Any) -> Any:
        if self._loop is None:
            return self._graph.invoke(given, self._config)
        return self._loop.run(self._graph.ainvoke(given, self._config))

    def close(self) -> None:
        if self._loop is not None:
            self._loop.close()


def _interrupts(result: Any) -> list[Any]:
    return list(result.get("__interrupt__") or []) if isinstance(result, dict) else []


@contextmanager
def directed(
    context: GuardedContext, scene: Scene, secrets: tuple[str, ...] = ()
) -> Iterator[None]:
    """While this lasts, models count what they stream, nothing waits on a terminal, and a failing
    model is a MissionFailed."""
    with ExitStack() as cleanup:
        cleanup.enter_context(unwrapped())
        cleanup.enter_context(streaming_whole())
        cleanup.enter_context(terminal.answered_by_human(context, scene))
        try:
            yield
        except Exception as error:
            failure = explain(error, secrets)
            if failure is None:
                raise
            _log.info("The run failed", exc_info=True)
            raise failure.as_exception() from None
