"""From a mission's spec to a crew: agents, and the tasks that are still to be done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crewai import Agent, Crew, Process, Task
from crewai.knowledge.knowledge import Knowledge
from crewai.llms.base_llm import BaseLLM
from crewai.tasks.task_output import TaskOutput
from crewai.utilities.task_output_storage_handler import TaskOutputStorageHandler
from pydantic import PrivateAttr

from service.agents import models
from service.agents.context import TaskResult
from service.agents.crewai import shapes
from service.agents.crewai.stage import Stage
from service.agents.crewai.tools import CrewTool
from service.agents.guard import GuardedContext
from service.agents.tools import registry
from service.agents.tools.tool import Tool
from service.config import Settings
from service.missions.spec import AgentSpec, MissionSpec, TaskSpec


class _Forgetful(TaskOutputStorageHandler):
    """Stores nothing."""

    def __init__(self) -> None:
        """Without opening a database."""

    def update(self, *_: Any) -> None: ...

    def add(self, *_: Any) -> None: ...

    def reset(self) -> None: ...

    def load(self) -> list[dict[str, Any]] | None:
        return []


class MissionCrew(Crew):
    """A crew without crewai's own copy of inputs and outputs: one SQLite file for all that run."""

    _task_output_handler: TaskOutputStorageHandler = PrivateAttr(default_factory=_Forgetful)


class MissionTask(Task):
    """A task whose structured result is checked by its rule alone.

    crewai fails a result of another shape at once, or has another call of the model convert it.
    """

    def _export_output(self, result: Any) -> tuple[None, dict[str, Any] | None]:
        return None, shapes.value(result, self.output_json)


@dataclass(frozen=True, slots=True)
class Staff:
    """What the agents of a mission work with. models: by the name in the spec, None the default."""

    context: GuardedContext
    stage: Stage
    models: Mapping[str | None, BaseLLM]
    settings: Settings

    def knowledge(self, spec: AgentSpec) -> Knowledge | None:
        if not spec.knowledge:
            return None
        # Imported where it is needed: a database and its client, which few missions use.
        from service.agents.crewai import knowledge

        return knowledge.of(spec, self.context, models.embedding(self.settings))

    def tool(self, name: str) -> Tool:
        return registry.make(name, self.context, self.stage, self.settings)


def build(spec: MissionSpec, staff: Staff, finished: Mapping[str, TaskResult]) -> Crew:
    """The crew for what is left of the plan; at least one task must be left."""
    agents = {agent.name: _agent(agent, spec, staff) for agent in spec.agents}
    hired = list(agents.values())
    tasks: dict[str, Task] = {}
    beside = _running_beside(spec.plan)
    for task in spec.plan:
        who = agents[task.agent] if task.agent else None  # without: the manager chooses
        if task.agent and beside[task.name]:
            # An agent has one conversation: beside another task works a second one of its name.
            who = _agent(spec.agent(task.agent), spec, staff)
            hired.append(who)
        earlier = {name: done for name, done in tasks.items() if name not in beside[task.name]}
        tasks[task.name] = _task(task, who, _context(task, earlier))
        staff.stage.introduce(tasks[task.name], task.name)
        if task.name in finished:
            tasks[task.name].output = _output(task, finished[task.name])
            tasks[task.name].async_execution = False
    left = [task for name, task in tasks.items() if name not in finished]
    return _crew(spec, hired, left, staff)


def _running_beside(plan: Iterable[TaskSpec]) -> Mapping[str, frozenset[str]]:
    """For each task the earlier ones that run while it runs; a task that is not async waits for all."""
    found: dict[str, frozenset[str]] = {}
    running: frozenset[str] = frozenset()
    for task in plan:
        found[task.name] = running if task.async_execution else frozenset()
        running = found[task.name] | {task.name} if task.async_execution else frozenset()
    return found


def _agent(spec: AgentSpec, mission: MissionSpec, staff: Staff) -> Agent:
    agent = Agent(
        role=spec.role,
        goal=spec.goal,
        backstory=spec.backstory,
        llm=staff.models[spec.model or mission.model],
        tools=[CrewTool(staff.tool(use.name)) for use in spec.tool_uses()],
        knowledge=staff.knowledge(spec),
        allow_delegation=spec.allow_delegation,
        cache=False,
        verbose=False,
    )
    staff.stage.introduce(agent, spec.name)
    return agent


def _task(spec: TaskSpec, agent: Agent | None, context: list[Task]) -> Task:
    """A crewai task. Its output file is not crewai's to write: it would land where we happen to run."""
    shape = shapes.of(spec)
    rules: list[Any] = [] if shape is None else [shapes.rule(shape)]
    if spec.guardrail:
        rules.append(spec.guardrail)
    return MissionTask(
        name=spec.name,
        description=spec.description,
        expected_output=spec.expected_output,
        agent=agent,
        context=context,
        human_input=spec.human_input,
        output_json=shape,
        guardrails=rules or None,
        async_execution=spec.async_execution,
    )


def _context(spec: TaskSpec, earlier: Mapping[str, Task]) -> list[Task]:
    """The tasks whose output this one reads; said for each, as crewai's default sees only its crew."""
    names: Iterable[str] = earlier if spec.context is None else spec.context
    return [earlier[name] for name in names]


def _output(spec: TaskSpec, result: TaskResult) -> TaskOutput:
    return TaskOutput(
        name=spec.name,
        description=spec.description,
        expected_output=spec.expected_output,
        raw=result.text,
        json_dict=result.json if isinstance(result.json, dict) else None,
        agent=result.agent or spec.agent or "",
    )


def _crew(spec: MissionSpec, agents: list[Agent], tasks: list[Task], staff: Staff) -> Crew:
    options: dict[str, Any] = {"process": Process.sequential}
    if spec.process == "hierarchical":
        options = {"process": Process.hierarchical, "manager_llm": staff.models[spec.model]}
    return MissionCrew(
        agents=agents,
        tasks=tasks,
        memory=False,
        cache=False,
        planning=spec.planning,
        planning_llm=staff.models[spec.model] if spec.planning else None,
        verbose=False,
        tracing=False,
        **options,
    )
