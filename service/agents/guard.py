"""A RunContext whose errors get through a framework. What they mean is for the runner to say.

Frameworks catch Exception: they would hand a failed `finish_task` to the model as a tool's output,
or try the agent again. So inside a framework every error of the context travels as Stopped.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from service.agents.context import MissionFile, RunContext, TaskResult
from service.events.kinds import Kind
from service.missions.specs import Spec
from service.missions.target import Target
from service.requests.question import Answer, Question


class Stopped(BaseException):
    """Carries an error of the context out of a framework. cause: that error."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


@contextmanager
def _uncaught() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise Stopped(error) from error


class GuardedContext:
    """The same context, for use inside a framework. Interrupted passes as it is."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    @property
    def mission_id(self) -> int:
        return self._context.mission_id

    @property
    def spec(self) -> Spec:
        return self._context.spec

    @property
    def project(self) -> Target | None:
        return self._context.project

    @property
    def restarts(self) -> int:
        return self._context.restarts

    def emit(
        self,
        kind: Kind,
        name: str,
        data: dict[str, Any],
        *,
        agent: str | None = None,
        task: str | None = None,
        call: str | None = None,
    ) -> None:
        with _uncaught():
            self._context.emit(kind, name, data, agent=agent, task=task, call=call)

    def ask(self, question: Question) -> Answer:
        with _uncaught():
            return self._context.ask(question)

    def check_cancelled(self) -> None:
        with _uncaught():
            self._context.check_cancelled()

    def plan(self, tasks: Sequence[str]) -> None:
        with _uncaught():
            self._context.plan(tasks)

    def finished_tasks(self) -> Mapping[str, TaskResult]:
        with _uncaught():
            return self._context.finished_tasks()

    def finish_task(self, result: TaskResult) -> None:
        with _uncaught():
            self._context.finish_task(result)

    def files(self) -> list[MissionFile]:
        with _uncaught():
            return self._context.files()

    def read_file(self, name: str) -> bytes | None:
        with _uncaught():
            return self._context.read_file(name)

    def write_file(
        self, name: str, content: bytes, *, agent: str | None = None, task: str | None = None
    ) -> None:
        with _uncaught():
            self._context.write_file(name, content, agent=agent, task=task)


@contextmanager
def unwrapped() -> Iterator[None]:
    """Around the framework: what was Stopped goes on as what it was."""
    try:
        yield
    except Stopped as stopped:
        raise stopped.cause from None
