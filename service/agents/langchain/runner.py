"""Runs a mission's plan with LangChain: an agent for each task, from the first unfinished one on.

Each task's agent works on a checkpoint, so an attempt goes on in the middle of a task.
"""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from langchain_core.messages import HumanMessage

from service.agents import models
from service.agents.context import MissionResult, RunContext, TaskResult
from service.agents.guard import GuardedContext
from service.agents.langchain import agents, checkpoints, clients, reading
from service.agents.langchain.checkpoints import Checkpoints
from service.agents.langchain.driving import Graph, directed
from service.agents.langchain.events import EventHandler
from service.agents.langchain.human import Questions
from service.agents.langchain.scene import Scene
from service.agents.values import jsonable
from service.config import Settings
from service.events.kinds import Kind
from service.missions.checkpoints import remove_file
from service.missions.spec import MissionSpec, TaskSpec
from service.requests.question import Question

SKIPPED = "An earlier attempt finished this task."
REVIEW = "Is this result right? Leave the answer empty to accept it, or say what to change."


def run(context: RunContext, spec: MissionSpec, settings: Settings) -> MissionResult:
    """Run what is left of the mission. Raises MissionFailed, Interrupted, or what langchain raised."""
    names = {spec.model, *(agent.model or spec.model for agent in spec.agents)}
    endpoints = {name: models.resolve(name, settings) for name in names}
    opened = {name: clients.of(endpoint) for name, endpoint in endpoints.items()}
    guarded, scene = GuardedContext(context), Scene()
    done = dict(context.finished_tasks())
    secrets = models.secrets_of(endpoints)
    with (
        checkpoints.opened(settings, context.mission_id, context.restarts) as kept,
        directed(guarded, scene, secrets),
    ):
        mission = _Mission(guarded, spec, scene, kept, secrets)
        for task in spec.plan:
            if task.name in done:
                guarded.emit(Kind.STATUS, "task.skipped", {"reason": SKIPPED}, task=task.name)
                continue
            agent = agents.build(spec, task, opened, guarded, scene, settings, kept.saver)
            done[task.name] = mission.do(task, agent, done)
    remove_file(settings.data, context.mission_id)
    last = done[spec.plan[-1].name]
    return MissionResult(last.text, last.json)


class _Mission:
    """A mission while its tasks are done, one after the other."""

    def __init__(
        self,
        context: GuardedContext,
        spec: MissionSpec,
        scene: Scene,
        kept: Checkpoints,
        secrets: tuple[str, ...],
    ) -> None:
        self._context = context
        self._spec = spec
        self._scene = scene
        self._kept = kept
        self._handler = EventHandler(context, scene, None, secrets)

    def do(self, task: TaskSpec, agent: Any, done: Mapping[str, TaskResult]) -> TaskResult:
        self._scene.enter(task.name, task.agent)
        self._say("task.started")
        self._say("agent.started")
        asker = Questions(self._context, self._scene, task.name)
        said = agents.said(self._spec, task, done)
        with closing(Graph(agent, self._kept, task.name, [self._handler], asker)) as graph:
            state = graph.run({"messages": [HumanMessage(said)]})
            while task.human_input and (feedback := self._review(task, state)):
                state = graph.say({"messages": [HumanMessage(feedback)]})
        text = reading.text_of(state["messages"][-1])
        result = TaskResult(task.name, task.agent, text, jsonable(state.get("structured_response")))
        self._say("agent.completed")
        self._context.finish_task(result)
        self._kept.forget(task.name)
        self._scene.enter(None, None)
        return result

    def _say(self, name: str) -> None:
        scene = self._scene
        self._context.emit(Kind.STATUS, name, {}, agent=scene.agent, task=scene.task)

    def _review(self, task: TaskSpec, state: Mapping[str, Any]) -> str:
        """What the human wants changed; "" accepts it. Numbered by what the agent was told so far."""
        told = sum(1 for message in state["messages"] if message.type == "human")
        answer = self._context.ask(
            Question(
                key=f"review:{task.name}:{told}",
                prompt=REVIEW,
                context=reading.text_of(state["messages"][-1]),
                default="",
                agent=task.agent,
                task=task.name,
            )
        )
        return str(answer.value or "").strip()
