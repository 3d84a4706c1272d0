"""Runs a graph to its end: from where it was left, over every question that it stops for."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from langchain_openai.chat_models.base import BaseChatOpenAI
from langgraph.types import Command

from service.agents import terminal
from service.agents.crewai.failures import explain
from service.agents.guard import GuardedContext, unwrapped
from service.agents.langchain.checkpoints import Checkpoints
from service.agents.langchain.human import Questions
from service.agents.langchain.scene import Scene

NO_SYNC = "No synchronous function"  # what langgraph says of a node that is async only

_log = logging.getLogger(__name__)


class Graph:
    """A compiled graph on our checkpoints, for one task. handlers: langchain's callbacks."""

    def __init__(
        self, graph: Any, checkpoints: Checkpoints, task: str, handlers: list[Any], asker: Questions
    ) -> None:
        if not getattr(graph, "checkpointer", None):  # it may have brought its own
            graph.checkpointer = checkpoints.saver
        self._graph = graph
        self._checkpoints = checkpoints
        self._asker = asker
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
        steps = {found.id: task.id for task in self.state().tasks for found in task.interrupts}
        return {
            found.id: self._asker.answer(found, answered.get(steps.get(found.id, ""), 0) + 1)
            for found in pending
        }

    def _invoke(self, given: Any) -> Any:
        try:
            return self._graph.invoke(given, self._config)
        except TypeError as error:
            if NO_SYNC not in str(error):
                raise
        begun = self.state()
        again = None if begun.values or begun.next else given
        return asyncio.run(self._graph.ainvoke(again, self._config))


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
        cleanup.enter_context(_counting())
        cleanup.enter_context(terminal.answered_by_human(context, scene))
        try:
            yield
        except Exception as error:
            failure = explain(error, secrets)
            if failure is None:
                raise
            _log.info("The run failed", exc_info=True)
            raise failure.as_exception() from None


@contextmanager
def _counting() -> Iterator[None]:
    """Ask for the usage of a streamed answer wherever nobody has said that it is not wanted.

    langchain leaves it off for every endpoint but OpenAI's own.
    """
    theirs = BaseChatOpenAI._should_stream_usage

    def ours(self: BaseChatOpenAI, stream_usage: bool | None = None, **named: Any) -> bool:
        wanted = stream_usage if stream_usage is not None else self.stream_usage
        return theirs(self, True if wanted is None else wanted, **named)

    BaseChatOpenAI._should_stream_usage = ours  # type: ignore[method-assign]
    try:
        yield
    finally:
        BaseChatOpenAI._should_stream_usage = theirs  # type: ignore[method-assign]
