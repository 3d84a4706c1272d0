"""From a mission's spec to LangChain's agents: their tools, their approvals, and what they are told."""

from collections.abc import Mapping
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool, StructuredTool

from service.agents.context import TaskResult
from service.agents.guard import GuardedContext
from service.agents.langchain.scene import Scene
from service.agents.tools import registry
from service.agents.tools.tool import Tool
from service.config import Settings
from service.missions.spec import PLACEHOLDER, AgentSpec, MissionSpec, TaskSpec

DECISIONS = ["approve", "edit", "reject"]


def build(
    spec: MissionSpec,
    task: TaskSpec,
    models: Mapping[str | None, BaseChatModel],
    context: GuardedContext,
    scene: Scene,
    settings: Settings,
    saver: Any,
) -> Any:
    """The agent that does a task, compiled. Raises MissionFailed for a tool that cannot be had."""
    who = spec.agent(task.agent or spec.agents[0].name)
    made = [registry.make(use.name, context, scene, settings) for use in who.tool_uses()]
    return create_agent(
        models[who.model or spec.model],
        [_tool(tool) for tool in made],
        system_prompt=_filled(_character(who), spec),
        middleware=_approvals(who),
        response_format=_shape(task),
        checkpointer=saver,
        name=who.name,
    )


def said(spec: MissionSpec, task: TaskSpec, done: Mapping[str, TaskResult]) -> str:
    """What the agent is told to do, with the results that it reads."""
    earlier = [name for name in done if name in _readable(spec, task)]
    parts = [
        _filled(f"{task.description}\n\nThis is what is expected: {task.expected_output}", spec),
        *(f"The result of {name}:\n{done[name].text}" for name in earlier),
    ]
    return "\n\n".join(parts)


def _readable(spec: MissionSpec, task: TaskSpec) -> list[str]:
    names = [other.name for other in spec.plan]
    return names[: names.index(task.name)] if task.context is None else list(task.context)


def _character(who: AgentSpec) -> str:
    return f"You are {who.role}. {who.backstory}\nYour goal: {who.goal}"


def _filled(text: str, spec: MissionSpec) -> str:
    """The text with each placeholder replaced by its input, which the spec is sure to have."""
    return PLACEHOLDER.sub(lambda found: str(spec.inputs[found.group(1)]), text)


def _tool(tool: Tool) -> BaseTool:
    return StructuredTool.from_function(
        func=tool.run, name=tool.name, description=tool.description, args_schema=tool.args_schema
    )


def _approvals(who: AgentSpec) -> list[AgentMiddleware[Any, Any, Any]]:
    gated: dict[str, Any] = {
        use.name: {"allowed_decisions": DECISIONS} for use in who.tool_uses() if use.approve
    }
    return [HumanInTheLoopMiddleware(interrupt_on=gated)] if gated else []


def _shape(task: TaskSpec) -> dict[str, Any] | None:
    if task.output_schema is None:
        return None
    return {"title": "Result", **task.output_schema}
