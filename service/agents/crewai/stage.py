"""Who is on stage: crewai's ids and the mission's names, and what each call is called.

Knows nothing of events and asks nobody; safe from any thread.
"""

import itertools
import secrets
import threading
import time
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Call:
    """One call of a model or a tool, from its start to its end."""

    id: str
    started: float = field(default_factory=time.monotonic)
    streamed: bool = False
    blocked: bool = False
    thinking: list[str] = field(default_factory=list)

    def duration_ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)


class Stage:
    """The mission's names for what crewai runs.

    task, agent: who is on now; crewai does not name them in every event. Tasks that run beside
    each other, and agents that others call in, each have a context of their own.
    """

    def __init__(self) -> None:
        self._task: ContextVar[str | None] = ContextVar("task", default=None)
        self._agents: ContextVar[tuple[str, ...]] = ContextVar("agents", default=())
        self._names: dict[str, str] = {}
        self._asked: Counter[tuple[str | None, str]] = Counter()
        self._lock = threading.Lock()

    def introduce(self, actor: Any, name: str) -> None:
        """The mission's name of a crewai agent or task."""
        self._names[str(actor.id)] = name

    def name_of(self, actor_id: Any) -> str | None:
        return self._names.get(str(actor_id))

    @property
    def task(self) -> str | None:
        return self._task.get()

    @task.setter
    def task(self, name: str | None) -> None:
        self._task.set(name)

    @property
    def agent(self) -> str | None:
        agents = self._agents.get()
        return agents[-1] if agents else None

    def enter(self, agent: str) -> None:
        """An agent begins; the one that delegated to it comes back when it is done.

        A task's agent that is tried again asks its questions again, under the same numbers: what
        was answered is then not asked a second time.
        """
        if not self._agents.get():
            with self._lock:
                again = {key: n for key, n in self._asked.items() if key[0] != self.task}
                self._asked = Counter(again)
        self._agents.set((*self._agents.get(), agent))

    def leave(self) -> None:
        self._agents.set(self._agents.get()[:-1])

    def number(self, kind: str) -> int:
        """1, 2, … for each question of a kind within the task."""
        with self._lock:
            self._asked[self.task, kind] += 1
            return self._asked[self.task, kind]


class Calls:
    """The calls that are open, and short names for them.

    A tool call is also found by the thread that runs it: crewai's hooks do not say which call
    they are about, but run in its thread.
    """

    def __init__(self) -> None:
        self._attempt = secrets.token_hex(2)  # another attempt has a c1 as well
        self._numbers = itertools.count(1)
        self._open: dict[str, Call] = {}
        self._in_thread: dict[int, Call] = {}

    def new(self) -> Call:
        return Call(f"c{next(self._numbers)}-{self._attempt}")

    def open(self, key: str) -> Call:
        """A call that crewai knows by this key; the same one when it is open already."""
        if key not in self._open:
            self._open[key] = self.new()
        return self._open[key]

    def close(self, key: str) -> Call:
        """The call, which has ended; one of no length when its start was never seen."""
        return self._open.pop(key, None) or self.new()

    def enter_thread(self, call: Call) -> None:
        self._in_thread[threading.get_ident()] = call

    def leave_thread(self) -> None:
        self._in_thread.pop(threading.get_ident(), None)

    def of_thread(self) -> Call | None:
        return self._in_thread.get(threading.get_ident())
