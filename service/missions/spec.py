"""A mission as it is asked for: agents, a plan, inputs, limits. Parses and checks; stores nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from service import clock
from service.missions import schemas

# What every server has. An operator may allow more; so which names are known is not decided here,
# and a mission that is stored stays readable when a tool is taken away.
TOOLS = frozenset({"ask_human", "calculator", "http_get", "read_file", "write_file"})


def _a_moment(text: str) -> str:
    if clock.ms_of(text) is None:
        raise ValueError("must be a time in RFC 3339, such as 2026-11-22T20:00:00Z")
    return text


PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")  # what crewai fills from the inputs

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
TITLE_MOST = 500
Line = Annotated[str, StringConstraints(min_length=1, max_length=TITLE_MOST)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
FileName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]+$")
]
Schema = dict[str, JsonValue]
# Within the workspace: higher ones start first.
Priority = Annotated[int, Field(ge=-100, le=100)]
# When a mission may start at the earliest, in RFC 3339; kept as it was given.
Moment = Annotated[str, StringConstraints(max_length=40), AfterValidator(_a_moment)]


class Strict(BaseModel):
    """Refuses keys that it does not know and values of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ToolUse(Strict):
    """A tool with how it may be used. approve: a human approves each call."""

    name: Name
    approve: bool = False


class AgentSpec(Strict):
    """One agent. model: a name from the operator's list; null takes the mission's.

    allow_delegation: it may hand work to the mission's other agents, and ask them.
    knowledge: files of the mission that are looked up for each of its tasks.
    """

    name: Name
    role: Line
    goal: Prose
    backstory: Prose
    tools: list[Name | ToolUse] = Field(default_factory=list, max_length=50)
    model: ModelName | None = None
    allow_delegation: bool = False
    knowledge: list[FileName] = Field(default_factory=list, max_length=20)

    def tool_uses(self) -> Iterator[ToolUse]:
        for tool in self.tools:
            yield ToolUse(name=tool) if isinstance(tool, str) else tool


class TaskSpec(Strict):
    """One step of the plan.

    context: names of earlier tasks whose output this one reads; null, or left out, means all
    earlier ones, [] none. human_input: a human reviews the result before it counts.
    output_file: the result is also kept as a file of this name. output_schema: JSON Schema of an
    object that the result has to be. guardrail: a rule that the agent's model checks the result by.
    async_execution: the plan goes on while this task runs, up to the next that is not so.
    agent: null where a manager chooses.
    """

    name: Name
    description: Prose
    expected_output: Prose
    agent: Name | None = None
    context: list[Name] | None = Field(default=None, max_length=100)
    human_input: bool = False
    output_file: FileName | None = None
    output_schema: Schema | None = None
    guardrail: Prose | None = None
    async_execution: bool = False


class HumanSpec(Strict):
    """How long a human has, in seconds, and what happens when nobody answered."""

    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    on_timeout: Literal["continue", "default", "fail"] = "continue"


class LimitsSpec(Strict):
    """Where a mission is stopped. Seconds of an attempt, tokens and dollars of the mission."""

    max_seconds: Annotated[float, Field(gt=0, le=7 * 86_400)] = 3600.0
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    max_cost_usd: Annotated[float, Field(gt=0)] | None = None


class MissionSpec(Strict):
    """Everything a mission is given. Round-trips through JSON unchanged."""

    title: Line | None = None
    engine: Literal["crewai", "langchain"] = "crewai"
    process: Literal["sequential", "hierarchical"] = "sequential"
    model: ModelName | None = None
    agents: list[AgentSpec] = Field(min_length=1, max_length=50)
    plan: list[TaskSpec] = Field(min_length=1, max_length=100)
    planning: bool = False
    inputs: dict[str, str | int | float | bool] = Field(default_factory=dict)
    human: HumanSpec = HumanSpec()
    limits: LimitsSpec = LimitsSpec()
    on_limit: Literal["fail", "ask"] = "fail"
    on_worker_lost: Literal["resume", "restart", "fail", "ask"] = "resume"
    priority: Priority = 0
    not_before: Moment | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> "MissionSpec":
        faults = list(_faults(self))
        if faults:
            raise PydanticCustomError(
                "mission_spec", "The mission does not hang together", {"faults": faults}
            )
        return self

    def agent(self, name: str) -> AgentSpec:
        return next(agent for agent in self.agents if agent.name == name)

    def display_title(self) -> str:
        """The title, or the first line of the first task, or its name when that is blank.

        Placeholders are filled as in the task itself; one without an input stays as it is.
        """
        first = self.plan[0]
        lines = first.description.strip().splitlines() or [first.name]
        title = self.title or lines[0][:200]
        filled = PLACEHOLDER.sub(self._input, title)
        return title if filled == title else " ".join(filled.split())[:TITLE_MOST]

    def _input(self, placeholder: re.Match[str]) -> str:
        return str(self.inputs.get(placeholder[1], placeholder[0]))

    def model_names(self) -> Iterator[tuple[str, str]]:
        """Each model that is named, with the JSON pointer to where."""
        if self.model:
            yield "/model", self.model
        for i, agent in enumerate(self.agents):
            if agent.model:
                yield f"/agents/{i}/model", agent.model

    def tool_names(self) -> Iterator[tuple[str, str]]:
        """Each tool that is named, with the JSON pointer to where."""
        for i, agent in enumerate(self.agents):
            for j, tool in enumerate(agent.tool_uses()):
                yield f"/agents/{i}/tools/{j}", tool.name


Fault = dict[str, str]


def _fault(pointer: str, detail: str) -> Fault:
    return {"pointer": pointer, "detail": detail}


def _faults(spec: MissionSpec) -> Iterator[Fault]:
    yield from _repeated_names("agents", [agent.name for agent in spec.agents])
    yield from _repeated_names("plan", [task.name for task in spec.plan])
    yield from _unknown_agents(spec)
    yield from _bad_contexts(spec.plan)
    yield from _bad_asynchrony(spec)
    yield from _bad_schemas(spec.plan)
    yield from _only_crewais(spec)
    yield from _missing_inputs(spec)


def _repeated_names(part: str, names: list[str]) -> Iterator[Fault]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield _fault(f"/{part}/{i}/name", f"the name {name!r} is used twice")


def _unknown_agents(spec: MissionSpec) -> Iterator[Fault]:
    known = {agent.name for agent in spec.agents}
    for i, task in enumerate(spec.plan):
        if task.agent is None and (spec.process != "hierarchical" or task.guardrail):
            yield _fault(f"/plan/{i}/agent", "who does it has to be said")
        elif task.agent is not None and task.agent not in known:
            yield _fault(f"/plan/{i}/agent", f"there is no agent {task.agent!r}")


def _bad_contexts(plan: list[TaskSpec]) -> Iterator[Fault]:
    position = {task.name: i for i, task in enumerate(plan)}
    cyclic = _tasks_in_cycles({task.name: task.context or [] for task in plan})
    for i, task in enumerate(plan):
        for j, name in enumerate(task.context or []):
            pointer = f"/plan/{i}/context/{j}"
            if name not in position:
                yield _fault(pointer, f"there is no task {name!r}")
            elif task.name in cyclic and name in cyclic:
                yield _fault(pointer, f"{task.name!r} and {name!r} wait for each other")
            elif position[name] > i:
                yield _fault(pointer, f"{name!r} comes later in the plan")


def _bad_asynchrony(spec: MissionSpec) -> Iterator[Fault]:
    """What an engine refuses of tasks that run beside each other."""
    beside: list[str] = []
    for i, task in enumerate(spec.plan):
        pointer = f"/plan/{i}/async_execution"
        if task.async_execution and spec.process == "hierarchical":
            yield _fault(pointer, "a manager gives out one task at a time")
        for j, name in enumerate(task.context or []):
            if task.async_execution and name in beside:
                yield _fault(f"/plan/{i}/context/{j}", f"{name!r} runs beside this task")
        beside = [*beside, task.name] if task.async_execution else []
    if len(beside) > 1:
        pointer = f"/plan/{len(spec.plan) - 1}/async_execution"
        yield _fault(pointer, "only one task may still run when the plan is through")


def _bad_schemas(plan: list[TaskSpec]) -> Iterator[Fault]:
    for i, task in enumerate(plan):
        if task.output_schema is not None:
            for detail in schemas.faults(task.output_schema):
                yield _fault(f"/plan/{i}/output_schema", detail)


def _only_crewais(spec: MissionSpec) -> Iterator[Fault]:
    """What the engine langchain does not have: refused, rather than left out in silence."""
    asked = {
        "/process": spec.process != "sequential",
        "/planning": spec.planning,
        **{f"/agents/{i}/allow_delegation": a.allow_delegation for i, a in enumerate(spec.agents)},
        **{f"/agents/{i}/knowledge": bool(a.knowledge) for i, a in enumerate(spec.agents)},
        **{f"/plan/{i}/async_execution": t.async_execution for i, t in enumerate(spec.plan)},
        **{f"/plan/{i}/guardrail": t.guardrail is not None for i, t in enumerate(spec.plan)},
    }
    if spec.engine == "langchain":
        for pointer in (place for place, is_asked in asked.items() if is_asked):
            yield _fault(pointer, "the engine langchain does not have this; crewai has")


def _tasks_in_cycles(context: Mapping[str, list[str]]) -> set[str]:
    """The tasks that, over any number of steps, have themselves as context."""

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = list(context.get(start, []))
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                ahead.extend(context.get(name, []))
        return seen

    return {name for name in context if name in reachable(name)}


def _missing_inputs(spec: MissionSpec) -> Iterator[Fault]:
    for pointer, text in _templates(spec):
        for name in dict.fromkeys(PLACEHOLDER.findall(text)):
            if name not in spec.inputs:
                yield _fault(pointer, f"{{{name}}} has no value in /inputs")


def _templates(spec: MissionSpec) -> Iterator[tuple[str, str]]:
    for part in ("agents", "plan"):
        for i, item in enumerate(getattr(spec, part)):
            for field in ("role", "goal", "backstory", "description", "expected_output"):
                text = getattr(item, field, None)
                if text:
                    yield f"/{part}/{i}/{field}", text
