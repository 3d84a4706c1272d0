"""RunContext: all that a runner sees of Longline. A runner has no database and no HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from service.events.kinds import Kind
from service.missions.specs import Spec
from service.missions.target import Target
from service.requests.question import Answer, Question


@dataclass(frozen=True, slots=True)
class TaskResult:
    """A finished task's output. json: its structured form, null when it has none."""

    task: str
    agent: str | None
    text: str
    json: Any = None


@dataclass(frozen=True, slots=True)
class MissionResult:
    """What a mission ends with: the last task's output."""

    text: str
    json: Any = None


@dataclass(frozen=True, slots=True)
class MissionFile:
    """A file of the mission. direction: input or output. bytes: its size."""

    name: str
    direction: str
    bytes: int


class MissionFailed(Exception):
    """The mission cannot go on. code, message: as in the ERROR event; message is fit to be shown."""

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable


class Interrupted(BaseException):
    """The attempt must end now: cancelled, or the worker is going down.

    A BaseException, because frameworks catch Exception and try the agent again.
    """


class RunContext(Protocol):
    """One attempt of one mission, as its runner sees it. Safe to use from any thread."""

    @property
    def mission_id(self) -> int: ...

    @property
    def spec(self) -> Spec: ...

    @property
    def project(self) -> Target | None:
        """Where the project of the spec is; None when it has none, or none that is there."""

    @property
    def restarts(self) -> int:
        """How often the mission has begun anew from its first task."""

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
        """Hand an event to the recorder; returns at once. Never raises for what the text holds."""

    def ask(self, question: Question) -> Answer:
        """Ask a human and block until there is an answer or the deadline has passed.

        Raises Interrupted on cancel, MissionFailed on expiry under `on_timeout: fail`.
        """

    def check_cancelled(self) -> None:
        """Raises Interrupted when the attempt must end. Cheap: called on every event."""

    def plan(self, tasks: Sequence[str]) -> None:
        """Say which tasks are known by now, in order; a project's are known only when it runs."""

    def finished_tasks(self) -> Mapping[str, TaskResult]:
        """Outputs of tasks that earlier attempts finished, by task name."""

    def finish_task(self, result: TaskResult) -> None:
        """Store a task's output, with its OUTPUT and STATUS task.completed events, in one go.

        Returns when it is stored: from here on no attempt runs this task again.
        """

    def files(self) -> list[MissionFile]:
        """What the mission was given and has made, each name once: what it made hides what it got."""

    def read_file(self, name: str) -> bytes | None:
        """A file's content, None when there is none of this name."""

    def write_file(
        self, name: str, content: bytes, *, agent: str | None = None, task: str | None = None
    ) -> None:
        """Keep a file that the mission made, with its OUTPUT event; one of the same name is replaced.

        Returns when it is stored. name: data, never a path.
        """
