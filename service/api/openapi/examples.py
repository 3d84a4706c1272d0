"""What requests and answers look like: shown in the document, and fitted to its schemas by a test."""

from typing import Any

MISSION_SPEC: dict[str, Any] = {
    "title": "Brief on heat pumps",
    "agents": [
        {
            "name": "writer",
            "role": "Writer",
            "goal": "Write about {topic}",
            "backstory": "You explain things to ordinary people.",
            "tools": ["ask_human"],
        }
    ],
    "plan": [
        {
            "name": "draft",
            "description": "Write two sentences about {topic}.",
            "expected_output": "Two sentences.",
            "agent": "writer",
            "human_input": True,
        }
    ],
    "inputs": {"topic": "heat pumps"},
}
PROJECT_SPEC: dict[str, Any] = {"project": "market-report", "inputs": {"topic": "heat pumps"}}

MISSION: dict[str, Any] = {
    "id": 7,
    "title": "Brief on heat pumps",
    "engine": "crewai",
    "status": "waiting",
    "rev": 41,
    "attempt": 1,
    "created_at": "2026-11-22T20:00:00.000Z",
    "started_at": "2026-11-22T20:00:00.061Z",
    "ended_at": None,
    "retry_of": None,
    "result": None,
    "error": None,
    "usage": {
        "prompt_tokens": 812,
        "completion_tokens": 240,
        "cached_tokens": 0,
        "cost_usd": None,
        "agents": None,
    },
    "progress": {"done": 0, "total": 1},
    "requests": [3],
    "spec": MISSION_SPEC,
    "as_of": 57,
}
REQUEST: dict[str, Any] = {
    "id": 3,
    "mission": 7,
    "seq": 41,
    "type": "text",
    "prompt": "Is this result good?",
    "context": "Heat pumps move heat.",
    "options": None,
    "default": "",
    "schema": None,
    "agent": "writer",
    "task": "draft",
    "status": "pending",
    "asked_at": "2026-11-22T20:00:00.123Z",
    "expires_at": "2026-11-22T20:05:00.123Z",
    "answer": None,
    "answered_by": None,
    "answered_at": None,
    "read_at": None,
}
ANSWERED = REQUEST | {
    "seq": 58,
    "status": "answered",
    "answer": "Shorter, please.",
    "answered_by": "Ann",
    "answered_at": "2026-11-22T20:01:00.000Z",
}
EVENT: dict[str, Any] = {
    "seq": 57,
    "mission": 7,
    "mseq": 12,
    "attempt": 1,
    "kind": "ACTION",
    "name": "tool.started",
    "at": "2026-11-22T20:00:00.123Z",
    "agent": "writer",
    "task": "draft",
    "call": "c3",
    "data": {"tool": "calculator", "args": {"expression": "6*7"}},
}
PAGE: dict[str, Any] = {
    "feed": "k3v9x2",
    "events": [EVENT],
    "next": 57,
    "head": 57,
    "oldest": 1,
    "more": False,
    "closed": False,
    "reason": "events",
    "retry_s": 0,
}
MISSION_PAGE = PAGE | {"status": "waiting"}
FILE: dict[str, Any] = {
    "id": 4,
    "mission": 7,
    "direction": "output",
    "task": "draft",
    "name": "brief.md",
    "bytes": 21,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "media_type": "text/markdown",
    "created_at": "2026-11-22T20:02:00.000Z",
}
PROJECT: dict[str, Any] = {
    "name": "market-report",
    "kind": "crew",
    "engine": "crewai",
    "description": "A report on a market.",
    "inputs": {"type": "object", "properties": {"topic": {"type": "string"}}},
    "available": True,
}
WEBHOOK: dict[str, Any] = {
    "id": 2,
    "mission": None,
    "url": "https://example.org/hook",
    "kinds": ["STATUS", "HUMAN_INPUT_REQUEST"],
    "after": 57,
    "created_at": "2026-11-22T20:00:00.000Z",
    "disabled_at": None,
}
NEW_WEBHOOK = {"url": "https://example.org/hook", "kinds": ["STATUS"]}
DELIVERY: dict[str, Any] = {
    "id": 9,
    "webhook": 2,
    "seq": 57,
    "status": "delivered",
    "tries": 1,
    "response": 200,
    "error": None,
    "created_at": "2026-11-22T20:00:00.200Z",
    "delivered_at": "2026-11-22T20:00:00.300Z",
    "next_at": None,
}
LINK: dict[str, Any] = {
    "id": "0f1e2d3c4b5a",
    "path": "/s/ll_0f1e2d3c4b5a_…",
    "expires_at": "2026-11-29T20:00:00.000Z",
}
ME = {"name": "local", "scopes": ["read", "answer"], "mission": None, "request": None}
OFFERS = {"models": ["local", "openai/some-model"], "tools": ["ask_human", "calculator"]}
DOCTOR: dict[str, Any] = {
    "nonce": "5f0d1c2b3a495867",
    "held_s": 0.0,
    "headers": {"Accept": "*/*", "Authorization": True},
    "scheme": "https",
}
