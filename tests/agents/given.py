"""What tests of the agents are given: a key, a model's name, and missions in few words."""

from typing import Any

from service.missions.spec import MissionSpec

API_KEY = "sk-scripted-0123456789"
MODEL = "openai/a name that nobody knows"


def agent(name: str, **further: Any) -> dict[str, Any]:
    return {"name": name, "role": f"The {name}", "goal": "g", "backstory": "b", **further}


def task(name: str, of: str, **further: Any) -> dict[str, Any]:
    text = {"description": f"Do {name}.", "expected_output": "A sentence."}
    return {"name": name, "agent": of, **text, **further}


def mission(agents: list[dict[str, Any]], plan: list[dict[str, Any]], **more: Any) -> MissionSpec:
    return MissionSpec.model_validate({"agents": agents, "plan": plan, **more})


def single(*, tools: list[Any] | None = None, **further: Any) -> MissionSpec:
    """One agent, `writer`, with one task, `draft`."""
    return mission([agent("writer", tools=tools or [])], [task("draft", "writer", **further)])
