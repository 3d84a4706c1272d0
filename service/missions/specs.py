"""The two things that a mission may be asked for as: agents with a plan, or a project by its name."""

from typing import Any

from pydantic import JsonValue

from service.missions.project_spec import ProjectSpec
from service.missions.spec import MissionSpec

Spec = MissionSpec | ProjectSpec
# For those who rehearse.
SMALLEST = MissionSpec.model_validate(
    {
        "agents": [
            {"name": "a", "role": "r", "goal": "g", "backstory": "b", "tools": ["calculator"]}
        ],
        "plan": [{"name": "t", "agent": "a", "description": "d", "expected_output": "e"}],
    }
)


def kind_of(value: Any) -> type[MissionSpec] | type[ProjectSpec]:
    """Which of the two a decoded body is meant as; what is wrong with it is for that one to say."""
    names_project = isinstance(value, dict) and "project" in value
    return ProjectSpec if names_project else MissionSpec


def dump(spec: Spec) -> dict[str, Any]:
    """The spec as JSON values, every default written out."""
    return spec.model_dump(mode="json")


def load(stored: JsonValue) -> Spec:
    """The spec again from what `dump` gave. Raises ValidationError when it was not that."""
    return kind_of(stored).model_validate(stored)
