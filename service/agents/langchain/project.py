"""Runs a project's own graph or runnable, as it is. Resumes a graph from its checkpoint."""

from contextlib import closing
from typing import Any

from langgraph.pregel import Pregel

from service.agents.context import MissionResult
from service.agents.guard import GuardedContext
from service.agents.langchain import checkpoints, reading
from service.agents.langchain.driving import Graph, directed
from service.agents.langchain.events import EventHandler
from service.agents.langchain.human import Questions
from service.agents.langchain.scene import Scene, Steps
from service.config import Settings
from service.missions.checkpoints import remove_file

THREAD = "project"  # the one conversation that a mission of a graph has


def run(context: GuardedContext, thing: Any, given: Any, settings: Settings) -> MissionResult:
    """Raises MissionFailed, Interrupted, or what the project raised."""
    scene = Scene()
    with directed(context, scene):
        if isinstance(thing, Pregel):
            result = _run_graph(context, scene, thing, given, settings)
        else:
            handlers: Any = [EventHandler(context, scene)]
            result = thing.invoke(given, {"callbacks": handlers})
    text, json = reading.output(result)
    return MissionResult(text, json)


def _run_graph(
    context: GuardedContext, scene: Scene, thing: Any, given: Any, settings: Settings
) -> Any:
    steps = Steps(context.finished_tasks())
    handler = EventHandler(context, scene, steps)
    with checkpoints.opened(settings, context.mission_id, context.restarts) as kept:
        asker = Questions(context, scene, None)
        with closing(Graph(thing, kept, THREAD, [handler], asker, steps)) as graph:
            result = graph.run(given)
        kept.forget(THREAD)
    remove_file(settings.data, context.mission_id)
    return result
