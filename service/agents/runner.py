"""Runs one attempt of a mission with the engine that it names. Imported in child processes only."""

from service.agents.context import MissionFailed, MissionResult, RunContext
from service.agents.crewai.runner import run as run_crew
from service.config import Settings


def run(context: RunContext, settings: Settings) -> MissionResult:
    """Run the mission to its end.

    Raises MissionFailed, Interrupted when the attempt must end, or whatever else went wrong.
    """
    engine = context.spec.engine
    if engine != "crewai":
        raise MissionFailed("engine_unavailable", f"This worker does not run {engine}.")
    return run_crew(context, settings)
