"""A crew that runs for nobody, on a model that is nowhere: what a process does first takes longest.

Of its first crew a process spends more time on building what every crew needs, and on code that Python
has yet to adapt to its use, than on the crew. Nothing is asked, stored or told here.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import httpx
import openai
from crewai.events import crewai_event_bus

from service.agents.context import MissionFile, MissionResult, RunContext, TaskResult
from service.agents.crewai.llm import Model
from service.agents.crewai.runner import perform
from service.agents.endpoint import Endpoint
from service.config import Settings
from service.missions.specs import SMALLEST
from service.requests.question import Answer, Question

NOWHERE = Endpoint(model="none", base_url="http://127.0.0.1:9/v1", api_key="none")
WORDS = 12  # Python adapts what runs more than eight times


def rehearse(times: int = 1) -> MissionResult:
    """Run it. A process that others are forked from does so `unheard`."""
    model = _Scripted.at(NOWHERE)
    try:
        for _ in range(times):
            done = copy_context().run(
                perform, _Nobody(), SMALLEST, {None: model}, Settings.model_construct(), {}
            )
    finally:
        model.close()
    return done


@contextmanager
def unheard() -> Iterator[None]:
    """While this lasts, nobody hears crewai's events, so that it starts no thread to tell them in.

    A fork from a process in which crewai's threads have been started hangs. Raises RuntimeError
    when one was started all the same.
    """
    threads = threading.active_count()
    with crewai_event_bus.scoped_handlers():
        # What wants to listen to a single run would have the threads started too.
        crewai_event_bus.on = lambda *_, **__: lambda handler: handler  # type: ignore[method-assign]
        try:
            yield
        finally:
            del crewai_event_bus.on
    if threading.active_count() != threads:
        raise RuntimeError("a thread was started in the process that children are forked from")


class _Scripted(Model):
    """Answers itself, through all of the client but the network."""

    def _build_sync_client(self) -> openai.OpenAI:
        transport = httpx.MockTransport(_answer)
        client = httpx.Client(transport=transport)
        return openai.OpenAI(**self._get_client_params(), http_client=client)


def _answer(_request: httpx.Request) -> httpx.Response:
    lines = [*_chunks(), "[DONE]"]
    body = "".join(f"data: {line}\n\n" for line in lines)
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=body)


def _chunks() -> Iterator[str]:
    deltas = [{"role": "assistant", "content": ""}, *[{"content": "word "}] * WORDS, {}]
    for place, delta in enumerate(deltas, start=1):
        reason = "stop" if place == len(deltas) else None
        yield _chunk([{"index": 0, "delta": delta, "finish_reason": reason}], None)
    yield _chunk([], {"prompt_tokens": 1, "completion_tokens": WORDS, "total_tokens": WORDS + 1})


def _chunk(choices: list[dict[str, Any]], usage: dict[str, int] | None) -> str:
    about = {"id": "none", "object": "chat.completion.chunk", "created": 0, "model": "none"}
    return json.dumps({**about, "choices": choices, "usage": usage})


class _Nobody(RunContext):
    """Whom a rehearsal tells what it does."""

    mission_id = 0
    spec = SMALLEST
    project = None
    restarts = 0

    def emit(self, *_: Any, **__: Any) -> None: ...

    def ask(self, question: Question) -> Answer:
        raise NotImplementedError(question.prompt)

    def check_cancelled(self) -> None: ...

    def plan(self, tasks: Sequence[str]) -> None: ...

    def finished_tasks(self) -> Mapping[str, TaskResult]:
        return {}

    def finish_task(self, result: TaskResult) -> None: ...

    def files(self) -> list[MissionFile]:
        return []

    def read_file(self, name: str) -> bytes | None: ...

    def write_file(self, name: str, content: bytes, **_: Any) -> None: ...
