"""A RunContext that keeps what a runner says, and answers what it asks from a list."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from service.agents.context import Interrupted, MissionFile, TaskResult
from service.events.kinds import Kind, NewEvent
from service.missions.specs import Spec
from service.missions.target import Target
from service.requests.question import Answer, Question, RequestStatus

Reply = Callable[[Question], Answer]


def said(value: Any) -> Reply:
    """A human who answers the question as it is asked."""
    return lambda question: Answer(
        RequestStatus.ANSWERED, value, "human", question.prompt, question.context
    )


def said_earlier(value: Any, *, prompt: str | None = None, context: str | None = None) -> Reply:
    """A human who answered an earlier attempt's question."""
    return lambda question: Answer(
        RequestStatus.ANSWERED,
        value,
        "human",
        question.prompt if prompt is None else prompt,
        question.context if context is None else context,
    )


def nobody(question: Question) -> Answer:
    return Answer(RequestStatus.EXPIRED, None, None, question.prompt, question.context)


class RecordingContext:
    """answers: one for each question, in order; an exception is raised instead."""

    mission_id = 1
    project: Target | None = None
    restarts = 0

    def __init__(
        self,
        spec: Spec,
        *,
        answers: list[Reply | BaseException] | None = None,
        finished: Mapping[str, TaskResult] | None = None,
    ) -> None:
        self.spec = spec
        self.events: list[NewEvent] = []
        self.questions: list[Question] = []
        self.results: list[TaskResult] = []
        self.planned: list[str] = []
        self.cancelled_at: float | None = None
        self.cancel_when: Callable[[NewEvent], bool] = lambda event: False
        self.given: dict[str, bytes] = {}
        self.written: dict[str, bytes] = {}
        self._answers = list(answers or [])
        self._finished = dict(finished or {})
        self._lock = threading.Lock()

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
        event = NewEvent(kind, name, data, agent, task, call)
        with self._lock:
            self.events.append(event)
        if self.cancelled_at is None and self.cancel_when(event):
            self.cancelled_at = time.monotonic()

    def ask(self, question: Question) -> Answer:
        with self._lock:
            self.questions.append(question)
            reply = self._answers.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return reply(question)

    def check_cancelled(self) -> None:
        if self.cancelled_at is not None:
            raise Interrupted

    def plan(self, tasks: Sequence[str]) -> None:
        self.planned = list(tasks)

    def finished_tasks(self) -> Mapping[str, TaskResult]:
        return self._finished

    def finish_task(self, result: TaskResult) -> None:
        self.results.append(result)
        data = {"text": result.text, "json": result.json}
        self.emit(Kind.OUTPUT, "task", data, agent=result.agent, task=result.task)
        self.emit(Kind.STATUS, "task.completed", {}, agent=result.agent, task=result.task)

    def files(self) -> list[MissionFile]:
        found = {name: ("input", content) for name, content in self.given.items()}
        found |= {name: ("output", content) for name, content in self.written.items()}
        return [MissionFile(name, how, len(content)) for name, (how, content) in found.items()]

    def read_file(self, name: str) -> bytes | None:
        return (self.given | self.written).get(name)

    def write_file(
        self, name: str, content: bytes, *, agent: str | None = None, task: str | None = None
    ) -> None:
        self.written[name] = content
        self.emit(Kind.OUTPUT, "file", {"file": {"name": name}}, agent=agent, task=task)

    def of(self, kind: Kind, name: str | None = None) -> list[NewEvent]:
        return [e for e in self.events if e.kind == kind and name in (None, e.name)]

    def names(self, *kinds: Kind) -> list[str]:
        """The events' names, of these kinds or all but STREAM and USAGE."""
        wanted = kinds or tuple(k for k in Kind if k not in (Kind.STREAM, Kind.USAGE))
        return [event.name for event in self.events if event.kind in wanted]

    def joined(self, name: str = "text") -> dict[str, str]:
        """STREAM deltas by call, in the order in which the calls began."""
        texts: dict[str, str] = {}
        for event in self.of(Kind.STREAM, name):
            assert event.call is not None
            texts[event.call] = texts.get(event.call, "") + event.data["delta"]
        return texts

    def sum_of(self, name: str) -> int:
        return sum(event.data[name] for event in self.of(Kind.USAGE, "call"))
