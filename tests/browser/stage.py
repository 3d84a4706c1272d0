"""A web process without a worker, and missions whose log the test writes itself, as a worker would.

What a page shows does not depend on who wrote the log; without a crew it is there at once.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from service.config import Settings
from service.db import Database
from service.events.kinds import Kind, NewEvent
from service.missions import files
from service.missions.attempts import Claim
from service.requests.question import Question
from tests.contract import given as the
from tests.processes import Longline

BATCH = 2000
WORD = re.compile(r"\s*\S+")


class Stage:
    """A running server, its database, and the events that a worker writes."""

    def __init__(self, longline: Longline, db: Database) -> None:
        self.longline, self.url, self.db = longline, longline.url, db

    def running(self, **spec: Any) -> Claim:
        """A mission that a worker holds."""
        return the.running(self.db, **spec)

    def write(self, claimed: Claim, *events: NewEvent) -> None:
        for at in range(0, len(events), BATCH):
            the.record(self.db, claimed, *events[at : at + BATCH])

    def ask(self, claimed: Claim, question: Question, *, timeout_s: float = 300.0) -> int:
        return the.ask(self.db, claimed, question, timeout_s=timeout_s)

    def keep_file(self, claimed: Claim, name: str, content: bytes, task: str) -> None:
        with self.db.transaction() as conn:
            told = files.store_output(conn, claimed.mission_id, name, content, task=task)
        self.write(claimed, NewEvent(Kind.OUTPUT, "file", {"file": told}, task=task))

    def page(self, claimed: Claim, view: str = "") -> str:
        return f"{self.url}/m/{claimed.mission_id}" + (f"?view={view}" if view else "")


@contextmanager
def staged(folder: Path, **environment: str) -> Iterator[Stage]:
    longline = Longline(folder, **environment)
    longline.start("web")
    db = Database(Settings(data=folder / "data", database_url=None, sqlite_synchronous="NORMAL"))
    try:
        yield Stage(longline, db)
    finally:
        db.close()
        longline.__exit__()


def status(name: str, **where: Any) -> NewEvent:
    return NewEvent(Kind.STATUS, name, {}, **where)


def spoken(
    text: str, call: str, *, agent: str = "writer", task: str = "draft", piece: int | None = None
) -> list[NewEvent]:
    """A whole call of a model that says this, word by word or in pieces of so many characters."""
    where: dict[str, Any] = {"agent": agent, "task": task, "call": call}
    pieces = WORD.findall(text) if piece is None else pieces_of(text, piece)
    deltas = [NewEvent(Kind.STREAM, "text", {"delta": delta}, **where) for delta in pieces]
    return [
        NewEvent(Kind.ACTION, "llm.started", {"model": "openai/gpt-x"}, **where),
        *deltas,
        NewEvent(Kind.USAGE, "call", counted(len(text) // 3, len(deltas)), **where),
        NewEvent(Kind.ACTION, "llm.finished", {"finish_reason": "stop"}, **where),
    ]


def pieces_of(text: str, chars: int) -> list[str]:
    return [text[at : at + chars] for at in range(0, len(text), chars)]


def counted(prompt: int, completion: int, cost: float | None = 0.002) -> dict[str, Any]:
    return {
        "model": "openai/gpt-x",
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cached_tokens": prompt // 2,
        "reasoning_tokens": None,
        "cost_usd": cost,
    }


def tool(
    name: str, args: Any, output: Any, call: str, *, agent: str = "writer", task: str = "draft"
) -> list[NewEvent]:
    """A whole call of a tool."""
    where: dict[str, Any] = {"agent": agent, "task": task, "call": call}
    return [
        NewEvent(Kind.ACTION, "tool.started", {"tool": name, "args": args}, **where),
        NewEvent(
            Kind.ACTION,
            "tool.finished",
            {"tool": name, "output": output, "duration_ms": 840},
            **where,
        ),
    ]


def line(text: str, name: str = "stdout", level: str | None = None) -> NewEvent:
    return NewEvent(Kind.LOG, name, {"line": text, "level": level, "logger": None})
