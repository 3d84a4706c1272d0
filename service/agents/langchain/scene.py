"""Where a graph is just now, and names for it that are the same in a later attempt.

A step of a graph that is resumed has the id that it had before; a number counted in memory has not.
"""

import hashlib
import itertools
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

from langgraph.config import get_config


class Scene:
    """Implements `agents.tools.tool.Place`. task, agent: of a plan; a graph's own steps go before."""

    def __init__(self) -> None:
        self._task: str | None = None
        self._agent: str | None = None
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def enter(self, task: str | None, agent: str | None) -> None:
        self._task, self._agent = task, agent

    @property
    def task(self) -> str | None:
        return self._task or metadata().get("langgraph_node")

    @property
    def agent(self) -> str | None:
        return self._agent or metadata().get("lc_agent_name")

    def number(self, kind: str) -> int:
        """A number for the next question of a kind in this step."""
        step = str(metadata().get("langgraph_checkpoint_ns") or "")
        with self._lock:
            self._asked[step, kind] += 1
            count = self._asked[step, kind]
        if not step:
            return count
        digest = hashlib.sha256(f"{step}:{count}".encode()).hexdigest()
        return int(digest[:12], 16)


class Steps:
    """Names for the steps of a graph: its nodes', made unique.

    A step that begins again, for it waited for a human or for a loop, keeps its name.
    before: the names that earlier attempts have used up.
    """

    def __init__(self, before: Iterable[str]) -> None:
        self._before = list(before)
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()

    def name(self, node: str, step: str) -> str:
        """step: langgraph's id of it."""
        with self._lock:
            if step not in self._names:
                self._names[step] = self._new(node)
            return self._names[step]

    def _new(self, node: str) -> str:
        used = {*self._before, *self._names.values()}
        others = (f"{node} ({count})" for count in itertools.count(2))
        return next(name for name in itertools.chain([node], others) if name not in used)

    def known(self) -> list[str]:
        with self._lock:
            return [*self._before, *self._names.values()]


def metadata() -> dict[str, Any]:
    """What langgraph says of the step that runs in this thread; nothing outside of one."""
    try:
        return dict(get_config().get("metadata") or {})
    except RuntimeError:
        return {}
