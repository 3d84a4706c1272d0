"""Tasks that an earlier attempt finished: the crew's own loop comes to them, and takes what they gave.

So all that follows finds them where it would have: contexts, conditions, the crew's output and
the hooks that get it.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from crewai import Crew, Task
from crewai.tasks.task_output import TaskOutput
from pydantic import ValidationError

from service.agents.context import TaskResult


def keep(crew: Crew, result_of: Callable[[Task], TaskResult | None]) -> list[Task]:
    """Have the crew not run again what has a result. Returns these tasks."""
    kept = []
    for task in crew.tasks:
        if result := result_of(task):
            _Kept(task, result).take_place()
            kept.append(task)
    if len(kept) == len(crew.tasks):
        crew.planning = False  # nothing is left to be planned
    return kept


class _Kept:
    """Stands in for a task when its turn comes: with its placeholders filled by then."""

    def __init__(self, task: Task, result: TaskResult) -> None:
        self._task = task
        self._result = result

    def take_place(self) -> None:
        # Past pydantic, which lets only fields be set.
        vars(self._task).update(execute_sync=self._give, execute_async=self._give_later)

    def _give(self, *_: Any, **__: Any) -> TaskOutput:
        self._task.output = _output(self._task, self._result)
        return self._task.output

    def _give_later(self, *_: Any, **__: Any) -> Future[TaskOutput]:
        future: Future[TaskOutput] = Future()
        future.set_result(self._give())
        return future


def _output(task: Task, result: TaskResult) -> TaskOutput:
    shape = task.output_pydantic
    return TaskOutput(
        name=task.name,
        description=task.description,
        expected_output=task.expected_output,
        raw=result.text,
        pydantic=None if shape is None else _shaped(shape, result.json),
        json_dict=result.json if shape is None and isinstance(result.json, dict) else None,
        agent=result.agent or "",
        output_format=task._get_output_format(),
    )


def _shaped(shape: Any, value: Any) -> Any:
    """The value as it was; None where it does not fit any more, as after a secret was taken out."""
    try:
        return shape.model_validate(value)
    except ValidationError:
        return None
