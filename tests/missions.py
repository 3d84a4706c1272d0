"""Mission specs for tests that run real crews: small, and told apart by what their tasks say."""

from typing import Any


def agent(name: str = "writer", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "role": f"The {name}",
        "goal": "Write what was asked for",
        "backstory": "You have written for years.",
        **changes,
    }


def task(name: str, *, agent: str = "writer", **changes: Any) -> dict[str, Any]:
    """A task that a rule of the model's server finds by `task NAME`."""
    return {
        "name": name,
        "description": f"Do the task {name}.",
        "expected_output": "A few sentences.",
        "agent": agent,
        **changes,
    }


def mission(*tasks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A mission of these tasks (one called `draft` by default) and one agent."""
    plan = list(tasks) or [task("draft")]
    return {"agents": [agent()], "plan": plan, **changes}


def spoken(events: list[dict[str, Any]]) -> dict[str, str]:
    """The text of each call: its STREAM text deltas joined."""
    texts: dict[str, str] = {}
    for event in events:
        if event["kind"] == "STREAM" and event["name"] == "text":
            texts[event["call"]] = texts.get(event["call"], "") + event["data"]["delta"]
    return texts


def names(events: list[dict[str, Any]], kind: str) -> list[str]:
    return [event["name"] for event in events if event["kind"] == kind]
