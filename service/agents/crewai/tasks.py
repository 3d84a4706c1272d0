"""What crewai's tasks neither hand on nor say by themselves: their end in a thread, and that they are skipped."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from crewai import Task
from crewai.tasks.conditional_task import ConditionalTask
from crewai.tasks.task_output import TaskOutput


@contextmanager
def threads_hand_on_all() -> Iterator[None]:
    """While this lasts, the thread of an async task hands on whatever ends it.

    crewai's own hands on an Exception only: a crew would wait for ever for a task that was told
    to stop.
    """
    theirs = Task._execute_task_async

    def ours(self: Task, agent: Any, context: Any, tools: Any, future: Future[Any]) -> None:
        try:
            theirs(self, agent, context, tools, future)
        except BaseException as stopped:  # noqa: BLE001 - raised again where the result is awaited
            future.set_exception(stopped)

    Task._execute_task_async = ours  # type: ignore[method-assign]
    try:
        yield
    finally:
        Task._execute_task_async = theirs  # type: ignore[method-assign]


@contextmanager
def skips_told(tell: Callable[[Task], None]) -> Iterator[None]:
    """While this lasts, a task whose condition is not met is told of; crewai has no event for it."""
    theirs = ConditionalTask.get_skipped_task_output

    def ours(self: ConditionalTask) -> TaskOutput:
        tell(self)
        return theirs(self)

    ConditionalTask.get_skipped_task_output = ours  # type: ignore[method-assign]
    try:
        yield
    finally:
        ConditionalTask.get_skipped_task_output = theirs  # type: ignore[method-assign]
