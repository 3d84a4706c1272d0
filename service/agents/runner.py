"""Runs one attempt of a mission with the engine that it names. Imported in child processes only."""

from service.agents.context import MissionResult, RunContext
from service.agents.crewai import rehearsal
from service.agents.crewai.runner import run as run_crew
from service.agents.langchain.runner import run as run_chain
from service.agents.projects.running import run as run_project
from service.config import Settings
from service.missions.project_spec import ProjectSpec


def run(context: RunContext, settings: Settings) -> MissionResult:
    """Run the mission to its end.

    Raises MissionFailed, Interrupted when the attempt must end, or whatever else went wrong.
    """
    spec = context.spec
    if isinstance(spec, ProjectSpec):
        return run_project(context, spec, settings)
    if spec.engine == "langchain":
        return run_chain(context, spec, settings)
    return run_crew(context, spec, settings)


def rehearse() -> None:
    """Do in this process what its first run would take longest for: most missions are crews."""
    rehearsal.rehearse()
