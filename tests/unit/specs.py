"""Missions as the tests of what may be asked for write them."""

from typing import Any

import pytest

from service.api.parsing import fit
from service.errors import Problem
from service.missions.spec import MissionSpec


def agent(**changes: Any) -> dict[str, Any]:
    return {"name": "writer", "role": "Writer", "goal": "Write", "backstory": "Writes."} | changes


def task(name: str = "draft", **changes: Any) -> dict[str, Any]:
    whole = {"name": name, "description": "Write.", "expected_output": "Text.", "agent": "writer"}
    return whole | changes


def mission(**changes: Any) -> dict[str, Any]:
    return {"agents": [agent()], "plan": [task()]} | changes


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name != key}


def refused(value: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        fit(MissionSpec, value)
    assert caught.value.declared.status == 422
    return caught.value


def places(value: Any) -> list[str]:
    return [error["pointer"] for error in refused(value).extra["errors"]]


def plan_of(**contexts: list[str] | None) -> dict[str, Any]:
    """A mission of tasks a, b, c … with the contexts given."""
    return mission(plan=[task(name, context=context) for name, context in contexts.items()])
