"""One attempt as its runner sees it: RunContext over the recorder, the requests and the database."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from service.agents.context import Interrupted, MissionFailed, MissionFile, TaskResult
from service.agents.prices import Prices
from service.db import Database
from service.errors import LeaseLost
from service.events.kinds import Kind, NewEvent
from service.events.text import decode
from service.missions import files, progress
from service.missions.attempts import Claim
from service.missions.specs import Spec
from service.missions.target import Target
from service.requests import asking, waiting
from service.requests.question import Answer, Question, RequestStatus
from service.worker.limits import Limits
from service.worker.patience import Found, until_answered
from service.worker.recorder import Recorder


class Attempt:
    """Implements `agents.context.RunContext`. Safe to use from any thread."""

    def __init__(
        self,
        db: Database,
        claim: Claim,
        recorder: Recorder,
        *,
        stop: threading.Event,
        finish: threading.Event,
        prices: Prices,
        told: Callable[[], float] = time.monotonic,
    ) -> None:
        """told: as `waiting.wait_for_answer` takes it."""
        self._db = db
        self._claim = claim
        self._recorder = recorder
        self._stop = stop
        self._finish = finish
        self._prices = prices
        self._told = told
        tokens, cost_usd = claim.used
        ask = self._answered if claim.spec.on_limit == "ask" else None
        self.limits = Limits(claim.spec.limits, tokens=tokens, cost_usd=cost_usd, ask=ask)

    @property
    def mission_id(self) -> int:
        return self._claim.mission_id

    @property
    def spec(self) -> Spec:
        return self._claim.spec

    @property
    def project(self) -> Target | None:
        return self._claim.project

    @property
    def restarts(self) -> int:
        return self._claim.restarts

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
        is_usage = kind is Kind.USAGE and name == "call"
        if is_usage:
            data = data | {"cost_usd": self._prices.cost(data.get("model"), data)}
        self._recorder.put(NewEvent(kind, name, data, agent, task, call))
        if is_usage:
            self._count(data)
        if name == "tool.started" and self.spec.on_worker_lost == "ask":
            self._flush()  # before the tool runs: what happens to be lost must be known to have begun

    def ask(self, question: Question) -> Answer:
        answer = self._answered(question)
        return self._silence(answer) if answer.status is RequestStatus.EXPIRED else answer

    def _answered(self, question: Question) -> Answer:
        shown = self._shown(question)
        self._flush()
        request_id = self._patiently(lambda: self._open(shown))
        answer = self._patiently(
            lambda: waiting.wait_for_answer(
                self._db, request_id, check=self._check_waiting, told=self._told
            )
        )
        if (answer.prompt, answer.context) == (shown.prompt, shown.context):
            # The runner's own words: what was redacted for the human is not so for the crew.
            answer = replace(answer, prompt=question.prompt, context=question.context)
        return answer

    def check_cancelled(self) -> None:
        self.limits.pause()
        self._check_lost()
        if self.limits.reached:
            raise Interrupted

    def _check_waiting(self) -> None:
        """For a human nobody need stay: the question is open in the next attempt too."""
        self.check_cancelled()
        if self._finish.is_set():
            raise Interrupted

    def unfinished_tools(self) -> list[progress.StartedTool]:
        """What earlier attempts may have done halfway."""
        if self._is_first:
            return []
        return self._read(lambda conn: progress.unfinished_tools(conn, self.mission_id))

    def plan(self, tasks: Sequence[str]) -> None:
        names = list(tasks)
        event = NewEvent(Kind.STATUS, "plan.known", {"tasks": names, "total": len(names)})
        try:
            self._recorder.store(
                [event], lambda conn: progress.plan(conn, self.mission_id, total=len(names))
            )
        except LeaseLost:
            raise Interrupted from None

    def finished_tasks(self) -> Mapping[str, TaskResult]:
        if self._is_first:
            return {}
        rows = self._read(lambda conn: progress.finished(conn, self.mission_id))
        return {
            row["task"]: TaskResult(row["task"], row["agent"], row["text"], decode(row["json"]))
            for row in rows
        }

    def finish_task(self, result: TaskResult) -> None:
        task = next((task for task in self.spec.plan if task.name == result.task), None)
        redact = self._recorder.redactor.value
        result = replace(result, text=redact(result.text), json=redact(result.json))
        status = {"from": "running", "to": "completed", "reason": None}
        events = [
            self._about(result, Kind.OUTPUT, "task", {"text": result.text, "json": result.json}),
            self._about(result, Kind.STATUS, "task.completed", status),
        ]
        file = None if task is None else task.output_file
        if file is not None:
            events.append(self._about(result, Kind.OUTPUT, "file", {}))
        try:
            self._recorder.store(events, lambda conn: self._keep(conn, file, result, events[-1]))
        except LeaseLost:
            raise Interrupted from None
        if self._finish.is_set() and self._more_to_do():
            raise Interrupted  # the worker is going down: another goes on with the next task

    @property
    def _is_first(self) -> bool:
        """Whether nothing of the mission has run before."""
        return self._claim.fence.attempt == 1

    def _more_to_do(self) -> bool:
        return self._read(lambda conn: progress.more_to_do(conn, self.mission_id))

    def files(self) -> list[MissionFile]:
        found = self._read(lambda conn: files.newest_of_mission(conn, self.mission_id))
        return [MissionFile(row.name, row.direction, row.bytes) for row in found]

    def read_file(self, name: str) -> bytes | None:
        return self._read(lambda conn: files.read(conn, self.mission_id, name))

    def write_file(
        self, name: str, content: bytes, *, agent: str | None = None, task: str | None = None
    ) -> None:
        content = self._recorder.redactor.content(content)
        event = NewEvent(Kind.OUTPUT, "file", {}, agent=agent, task=task or None)
        try:
            self._recorder.store([event], lambda conn: self._keep_file(conn, name, content, event))
        except LeaseLost:
            raise Interrupted from None

    def _about(self, result: TaskResult, kind: Kind, name: str, data: dict[str, Any]) -> NewEvent:
        return NewEvent(kind, name, data, agent=result.agent, task=result.task)

    def _keep(self, conn: Connection, file: str | None, result: TaskResult, last: NewEvent) -> None:
        if file is not None:
            self._keep_file(conn, file, result.text.encode("utf-8", "replace"), last)
        progress.finish_task(
            conn,
            self.mission_id,
            attempt=self._claim.fence.attempt,
            task=result.task,
            agent=result.agent,
            text=result.text,
            json=result.json,
        )

    def _keep_file(self, conn: Connection, name: str, content: bytes, event: NewEvent) -> None:
        described = files.store_output(conn, self.mission_id, name, content, task=event.task)
        event.data = {"file": described}

    def _shown(self, question: Question) -> Question:
        """The question as a human gets to see it."""
        redact = self._recorder.redactor.value
        return asking.as_stored(
            replace(
                question,
                # After a restart from the first task, earlier questions and answers do not count.
                key=f"{self._claim.restarts}:{question.key}",
                prompt=redact(question.prompt),
                context=redact(question.context),
                options=redact(question.options),
                default=redact(question.default),
            )
        )

    def _open(self, question: Question) -> int:
        timeout_s = question.timeout_s or self.spec.human.timeout_s
        fence = self._claim.fence
        try:
            with self._db.transaction() as conn:
                return asking.ask(conn, self.mission_id, question, fence=fence, timeout_s=timeout_s)
        except LeaseLost:
            raise Interrupted from None

    def _read(self, read: Callable[[Connection], Found]) -> Found:
        """read: one statement."""

        def at_a_glance() -> Found:
            with self._db.glance() as conn:
                return read(conn)

        return self._patiently(at_a_glance)

    def _patiently(self, act: Callable[[], Found]) -> Found:
        """A crew knows nothing of a database: while it is away, the crew waits."""
        return until_answered(act, check=self._check_lost)

    def _check_lost(self) -> None:
        if self._stop.is_set() or self._recorder.lost.is_set():
            raise Interrupted

    def _silence(self, answer: Answer) -> Answer:
        """What nobody's answer means, as the mission decided."""
        match self.spec.human.on_timeout:
            case "fail":
                raise MissionFailed("human_timeout", "Nobody answered in time.")
            case "default":
                return replace(answer, value=answer.default)
        return answer

    def _flush(self) -> None:
        try:
            self._recorder.flush()
        except LeaseLost:
            raise Interrupted from None

    def _count(self, usage: dict[str, Any]) -> None:
        """Keep the limits. What was reached ends the run at its next event."""
        before = self.limits.reached
        self.limits.count(usage)
        if self.limits.reached and not before:
            self._recorder.put(self.limits.reached.as_event())


class LogHandler(logging.Handler):
    """Python's logging in the child as LOG events."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self._attempt = attempt

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except (TypeError, ValueError):  # a call with arguments that do not fit its format
            line = str(record.msg)
        data = {"line": line, "level": record.levelname.lower(), "logger": record.name}
        self._attempt.emit(Kind.LOG, "log", data)
