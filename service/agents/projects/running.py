"""Runs a project as it is: a copy of its own, its prints and questions taken up, its files kept."""

import logging
from pathlib import Path

from service.agents import terminal
from service.agents.context import MissionFailed, MissionResult, RunContext, TaskResult
from service.agents.crewai import project as crewai_project
from service.agents.guard import GuardedContext, unwrapped
from service.agents.langchain import project as langchain_project
from service.agents.projects import inputs
from service.agents.projects.folder import Workplace, copy_into
from service.agents.projects.loading import Loaded, NotAProject, load
from service.config import Settings
from service.missions.project_spec import ProjectSpec

_log = logging.getLogger(__name__)


class Doorway:
    """Implements `agents.tools.tool.Place` for code that asks while it is loaded."""

    agent = task = None

    def __init__(self) -> None:
        self._asked = 0

    def number(self, _kind: str) -> int:
        """Below 0: what is asked later outside of any task counts from 1."""
        self._asked -= 1
        return self._asked


class WatchedContext(GuardedContext):
    """A GuardedContext that also looks, at each task's end, at what was written meanwhile."""

    def __init__(self, context: RunContext, workplace: Workplace) -> None:
        super().__init__(context)
        self._workplace = workplace

    def finish_task(self, result: TaskResult) -> None:
        super().finish_task(result)
        self._workplace.keep_written(agent=result.agent, task=result.task)


def run(context: RunContext, spec: ProjectSpec, settings: Settings) -> MissionResult:
    """Run it in the working directory, which is the attempt's own.

    Raises MissionFailed, Interrupted, or whatever the project raised.
    """
    workplace = _furnish(context, spec)
    watched = WatchedContext(context, workplace)
    try:
        with unwrapped(), terminal.answered_by_human(watched, Doorway()):
            loaded = _load(context, spec)
        if loaded.engine == "crewai":
            filled = {**loaded.defaults, **spec.inputs}
            return crewai_project.run(watched, loaded.kind, loaded.thing, filled)
        given = inputs.given(loaded, spec.inputs)
        return langchain_project.run(watched, loaded.thing, given, settings)
    finally:
        workplace.keep_written()


def _furnish(context: RunContext, spec: ProjectSpec) -> Workplace:
    """The working directory with the project in it, and the mission's own files."""
    if context.project is None:
        message = f"The project {spec.project} is not registered any more, or not on this machine."
        raise MissionFailed("project_unknown", message)
    folder = Path.cwd()
    if context.project.folder is not None:
        copy_into(context.project.folder, folder)
    for file in context.files():
        content = context.read_file(file.name) if file.direction == "input" else None
        if content is not None:
            (folder / Path(file.name).name).write_bytes(content)
    return Workplace(folder, context)


def _load(context: RunContext, spec: ProjectSpec) -> Loaded:
    assert context.project is not None
    folder = Path.cwd() if context.project.folder else None
    try:
        return load(context.project, folder)
    except NotAProject as fault:
        raise MissionFailed("project_broken", f"The project {spec.project}: {fault}.") from None
    except Exception as fault:
        _log.warning("The project cannot be loaded", exc_info=True)
        message = f"The project {spec.project} cannot be loaded ({type(fault).__name__})."
        raise MissionFailed("project_broken", message) from fault
