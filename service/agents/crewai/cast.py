"""Who plays in a project: crews and flows that nobody named in a spec, named as they come on.

A spec's mission has its names beforehand and needs none of this. Names are the framework's own,
made unique; the same project gives the same names in each attempt.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from crewai import Task

from service.agents.context import TaskResult
from service.agents.crewai.stage import Stage
from service.agents.guard import GuardedContext
from service.agents.values import shortened
from service.missions.spec import PLACEHOLDER

NAME_MAX = 100


class Cast:
    """Introduces what comes on stage, and tells the mission how many tasks are known by now."""

    def __init__(self, context: GuardedContext, stage: Stage) -> None:
        self._context = context
        self._stage = stage
        self._given: Counter[str] = Counter()
        self._known: list[str] = []
        self._outer: dict[int, str | None] = {}
        self._steps: dict[str, str] = {}
        self._lock = threading.Lock()

    def admit(self, crew: Any, inputs: Mapping[str, Any]) -> None:
        """A crew begins: its tasks and agents get their names, if they have none yet.

        inputs: what is put into the names, as the crew will do in a moment.
        """
        self._outer[id(crew)] = self._stage.task
        managers = [crew.manager_agent] if crew.manager_agent else []
        for agent in [*crew.agents, *managers, *(task.agent for task in crew.tasks)]:
            if agent is not None and self._stage.name_of(agent.id) is None:
                self._stage.introduce(agent, _filled(str(agent.role), inputs))
        self._admit_tasks(crew.tasks, inputs)

    def _admit_tasks(self, tasks: Iterable[Task], inputs: Mapping[str, Any]) -> None:
        new = [task for task in tasks if self._stage.name_of(task.id) is None]
        for task in new:
            name = self._unique(_filled(_title(task), inputs))
            self._stage.introduce(task, name)
            self._known.append(name)
        if new:
            self._context.plan(self._known)

    def dismiss(self, crew: Any) -> None:
        """A crew has ended: what goes on is the step of a flow that it was called in, if any."""
        self._stage.task = self._outer.pop(id(crew), None)

    def step_began(self, event_id: str, method: str) -> str:
        """A flow's method begins. Returns its name as a task."""
        name = self._steps[event_id] = self._unique(method, within=None)
        self._known.append(name)
        self._context.plan(self._known)
        self._stage.task = name
        return name

    def step_ended(self, event_id: str | None) -> str | None:
        """The name of the step that began with this event."""
        return self._steps.pop(event_id or "", None)

    def finish(self, result: TaskResult) -> None:
        self._context.finish_task(result)

    def _unique(self, title: str, within: str | None = "") -> str:
        outer = self._stage.task if within == "" else within
        title = f"{outer}/{title}" if outer else title
        with self._lock:
            self._given[title] += 1
            count = self._given[title]
        return title if count == 1 else f"{title} ({count})"


def _title(task: Task) -> str:
    """The task's name, or the first line of what it says."""
    first = (task.description or "").strip().splitlines() or ["task"]
    return task.name or first[0]


def _filled(text: str, inputs: Mapping[str, Any]) -> str:
    """A name with its placeholders replaced, in one line; what has no input stays as it is."""
    filled = PLACEHOLDER.sub(lambda found: str(inputs.get(found.group(1), found.group())), text)
    return shortened(" ".join(filled.split()), NAME_MAX)
