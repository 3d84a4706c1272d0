"""What the tests of missions over HTTP make and read."""

from typing import Any

from tests.api.server import Server
from tests.contract.given import SPEC

FULL: dict[str, Any] = {
    "title": "Brief on heat pumps",
    "engine": "crewai",
    "process": "sequential",
    "model": None,
    "agents": [
        {
            "name": "writer",
            "role": "Writer",
            "goal": "Write about {topic}",
            "backstory": "Writes on {topic}.",
            "tools": ["ask_human", {"name": "calculator", "approve": True}],
            "model": None,
        }
    ],
    "plan": [
        {
            "name": "draft",
            "description": "Write two sentences about {topic}.",
            "expected_output": "Two sentences.",
            "agent": "writer",
            "context": [],
            "human_input": False,
            "output_file": None,
        }
    ],
    "inputs": {"topic": "heat pumps", "words": 40, "share": 0.5, "short": True},
    "human": {"timeout_s": 300.0, "on_timeout": "continue"},
    "limits": {"max_seconds": 3600.0, "max_tokens": None, "max_cost_usd": None},
    "on_worker_lost": "resume",
}


def create(server: Server, spec: Any = None, **headers: str) -> dict[str, Any]:
    response = server.post("/missions", spec or SPEC, headers=headers)
    assert response.status_code == 201, response.text
    return response.get_json()


def within(part: Any, whole: Any) -> bool:
    """Whether a value comes back as it was given, with whatever defaults beside it."""
    if isinstance(part, dict):
        return all(name in whole and within(item, whole[name]) for name, item in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(within, part, whole))
    return bool(part == whole)


def ids(answer: dict[str, Any]) -> list[int]:
    return [mission["id"] for mission in answer["missions"]]


def names(server: Server, mission_id: int) -> list[str]:
    return [event["name"] for event in server.poll(f"/missions/{mission_id}/events")["events"]]
