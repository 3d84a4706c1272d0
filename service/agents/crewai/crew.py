"""From a mission's spec to a crew: agents, and the tasks that are still to be done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crewai import Agent, Crew, Process, Task
from crewai.tasks.task_output import TaskOutput
from crewai.utilities.task_output_storage_handler import TaskOutputStorageHandler
from pydantic import PrivateAttr

from service.agents import tools
from service.agents.context import TaskResult
from service.agents.crewai.llm import Model
from service.agents.crewai.stage import Stage
from service.agents.guard import GuardedContext
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


@dataclass(frozen=True, slots=True)
class Staff:
    """What the agents of a mission work with. models: by the name in the spec, None the default."""

    context: GuardedContext
    stage: Stage
    models: Mapping[str | None, Model]


def build(
    spec: MissionSpec, staff: Staff, finished: Mapping[str, TaskResult]
) -> tuple[Crew, list[str]]:
    """The crew for what is left of the plan, and the names of the tasks that are done already.

    At least one task must be left.
    """
    agents = {agent.name: _agent(agent, spec, staff) for agent in spec.agents}
    tasks: dict[str, Task] = {}
    for task in spec.plan:
        tasks[task.name] = _task(task, agents[task.agent], _context(task, tasks))
        staff.stage.introduce(tasks[task.name], task.name)
        if task.name in finished:
            tasks[task.name].output = _output(task, finished[task.name])
    left = [task for name, task in tasks.items() if name not in finished]
    skipped = [name for name in tasks if name in finished]
    return _crew(spec, list(agents.values()), left, staff), skipped


def _agent(spec: AgentSpec, mission: MissionSpec, staff: Staff) -> Agent:
    agent = Agent(
        role=spec.role,
        goal=spec.goal,
        backstory=spec.backstory,
        llm=staff.models[spec.model or mission.model],
        tools=[tools.REGISTRY[use.name](staff.context, staff.stage) for use in spec.tool_uses()],
        allow_delegation=False,
        cache=False,
        verbose=False,
    )
    staff.stage.introduce(agent, spec.name)
    return agent


def _task(spec: TaskSpec, agent: Agent, context: list[Task]) -> Task:
    """A crewai task. Its output file is not crewai's to write: it would land where we happen to run."""
    return Task(
        name=spec.name,
        description=spec.description,
        expected_output=spec.expected_output,
        agent=agent,
        context=context,
        human_input=spec.human_input,
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
        agent=result.agent or spec.agent,
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
        planning=False,
        verbose=False,
        tracing=False,
        **options,
    )


def rehearse(model: Model) -> Crew:
    """A crew that is built and not run, its agent's executor too: what is built first takes longest."""
    agent = Agent(role="r", goal="g", backstory="b", llm=model, tools=[tools.Calculator()])
    task = Task(description="d", expected_output="e", agent=agent)
    crew = MissionCrew(agents=[agent], tasks=[task], memory=False, verbose=False, tracing=False)
    agent.create_agent_executor(task=task)
    return crew
