"""What a test begins with and looks at: missions, claims, events, questions; each a transaction of its own."""

from typing import Any

import orjson
import pytest
from sqlalchemy import insert

from models import workspaces
from service import clock
from service.db import Database
from service.errors import Problem
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.missions import attempts, commands, leases, progress, queries
from service.missions.attempts import Claim
from service.missions.project_spec import ProjectSpec
from service.missions.spec import MissionSpec
from service.requests import answering, asking, view, waiting
from service.requests.answering import Outcome
from service.requests.question import Answer, Question
from tests import folding

WORKSPACE = 1  # `default`, which the first migration makes
LEASE_S = 30.0
ALL = 1_000_000

SPEC: dict[str, Any] = {
    "title": "A brief",
    "agents": [{"name": "writer", "role": "Writer", "goal": "Write", "backstory": "Writes."}],
    "plan": [
        {"name": name, "description": f"Do {name}.", "expected_output": "Text.", "agent": "writer"}
        for name in ("research", "draft")
    ],
}


def spec(**changes: Any) -> MissionSpec:
    return MissionSpec.model_validate(SPEC | changes)


def project_mission(db: Database, name: str) -> int:
    """A queued mission of a registered project."""
    with db.transaction() as conn:
        return int(commands.create(conn, WORKSPACE, ProjectSpec(project=name))["id"])


def make_workspace(db: Database, name: str) -> int:
    values = {"name": name, "feed": f"feed-{name}", "created_ms": clock.now_ms()}
    with db.transaction() as conn:
        row = conn.execute(insert(workspaces).values(values).returning(workspaces.c.id))
        return int(row.scalar_one())


def make_mission(db: Database, workspace_id: int = WORKSPACE, **changes: Any) -> int:
    """A queued mission; its log has one event."""
    with db.transaction() as conn:
        return int(commands.create(conn, workspace_id, spec(**changes))["id"])


def claim(db: Database, owner: str = "worker-1", *, lease_s: float = LEASE_S) -> Claim:
    """The oldest queued mission, taken by a worker."""
    claimed = attempts.claim_next(db, owner, lease_s=lease_s)
    assert claimed is not None
    return claimed


def running(db: Database, owner: str = "worker-1", **changes: Any) -> Claim:
    """A new mission that a worker holds; its log has two events."""
    make_mission(db, **changes)
    return claim(db, owner)


def complete(db: Database, claimed: Claim, text: str = "Done.", json: Any = None) -> None:
    with db.transaction() as conn:
        attempts.complete(conn, claimed, text=text, json=json)


def fail(db: Database, claimed: Claim) -> None:
    with db.transaction() as conn:
        attempts.fail(
            conn, claimed, code="model_failed", message="The model is away.", retryable=True
        )


def end_cancelled(db: Database, claimed: Claim) -> None:
    with db.transaction() as conn:
        attempts.end_cancelled(conn, claimed)


def hand_over(db: Database, claimed: Claim) -> None:
    with db.transaction() as conn:
        attempts.hand_over(conn, claimed)


def lose(db: Database, claimed: Claim, *, fence: log.Fence | None = None) -> None:
    with db.transaction() as conn:
        attempts.lose(conn, claimed.mission_id, reason="its worker died", fence=fence)


def expired(db: Database) -> list[int]:
    with db.reading() as conn:
        return [held.mission_id for held in leases.doubtful_leases(conn, lease_s=LEASE_S)]


def cancel(db: Database, mission_id: int) -> None:
    with db.transaction() as conn:
        commands.cancel(conn, WORKSPACE, mission_id)


def delta(text: str = "word ", **changes: Any) -> NewEvent:
    """A piece of a model's text."""
    return NewEvent(Kind.STREAM, "text", {"delta": text}, **changes)


def usage(prompt: int, completion: int, cost: float | None = None) -> NewEvent:
    data = {
        "model": "openai/some",
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cached_tokens": 1,
        "reasoning_tokens": None,
        "cost_usd": cost,
    }
    return NewEvent(Kind.USAGE, "call", data)


def append(db: Database, mission_id: int, *events: NewEvent, fence: log.Fence | None = None):
    with db.transaction() as conn:
        return log.append(conn, mission_id, events, fence=fence)


def record(db: Database, claimed: Claim, *events: NewEvent) -> log.Appended:
    """What the worker that holds a mission writes."""
    with db.transaction() as conn:
        return progress.record(conn, claimed.mission_id, events, fence=claimed.fence)


def finish_task(db: Database, claimed: Claim, task: str, text: str = "A text.") -> None:
    done = [
        NewEvent(Kind.OUTPUT, "task", {"text": text, "json": None}, task=task),
        NewEvent(Kind.STATUS, "task.completed", {"from": "running", "to": "completed"}, task=task),
    ]
    with db.transaction() as conn:
        progress.record(conn, claimed.mission_id, done, fence=claimed.fence)
        progress.finish_task(
            conn,
            claimed.mission_id,
            attempt=claimed.fence.attempt,
            task=task,
            agent="writer",
            text=text,
            json=None,
        )


def question(key: str = "review", **changes: Any) -> Question:
    return Question(key, "Is this draft right?", **changes)


def ask(
    db: Database, claimed: Claim, asked: Question | None = None, *, timeout_s: float = 300.0
) -> int:
    with db.transaction() as conn:
        return asking.ask(
            conn,
            claimed.mission_id,
            asked or question(),
            fence=claimed.fence,
            timeout_s=timeout_s,
        )


def answer(
    db: Database, request_id: int, value: Any, *, by: str = "Ann", key: str | None = None
) -> Outcome:
    with db.transaction() as conn:
        return answering.answer(conn, WORKSPACE, request_id, value, by=by, key=key)


def expire_due(db: Database) -> int:
    """What the reaper does. Returns how many questions it closed."""
    with db.reading() as conn:
        due = answering.due(conn)
    return sum(expire(db, request_id) for request_id in due)


def expire(db: Database, request_id: int) -> bool:
    with db.transaction() as conn:
        return answering.expire(conn, request_id)


def take_answer(db: Database, request_id: int) -> Answer:
    """What the agent gets; waits for it."""
    return waiting.wait_for_answer(db, request_id, check=lambda: None)


def request(db: Database, request_id: int) -> dict[str, Any]:
    with db.reading() as conn:
        return view.view(view.one(conn, WORKSPACE, request_id))


def mission(db: Database, mission_id: int) -> dict[str, Any]:
    with db.reading() as conn:
        return queries.one(conn, WORKSPACE, mission_id)


def events(db: Database, workspace_id: int = WORKSPACE, **narrowed: Any) -> list[dict[str, Any]]:
    """The log as clients see it, from the first event on. narrowed: what log.read takes."""
    with db.reading() as conn:
        head = log.head(conn, workspace_id).head
        rows = log.read(conn, workspace_id, 0, head, **{"limit": ALL, **narrowed})
        return [orjson.loads(text) for _seq, text in rows]


def events_of(db: Database, mission_id: int, **narrowed: Any) -> list[dict[str, Any]]:
    return events(db, mission_ids=[mission_id], **narrowed)


def names_of(db: Database, mission_id: int) -> list[str]:
    return [event["name"] for event in events_of(db, mission_id)]


def status_of(db: Database, claimed: Claim) -> str:
    return mission(db, claimed.mission_id)["status"]


def responses(db: Database, claimed: Claim) -> list[dict[str, Any]]:
    return events_of(db, claimed.mission_id, kinds=["HUMAN_RESPONSE"])


def refusal(db: Database, request_id: int, value: Any, **who: Any) -> Problem:
    """What an answer is refused with; a refused answer leaves no trace."""
    before = events(db), request(db, request_id)
    with pytest.raises(Problem) as refused:
        answer(db, request_id, value, **who)
    assert (events(db), request(db, request_id)) == before
    return refused.value


def follows_its_log(db: Database, mission_id: int) -> bool:
    """Whether a mission's row is what its events say; asserts, so that a failure tells where not."""
    told = events_of(db, mission_id)
    assert folding.faults(told) == []
    assert folding.differences(told, mission(db, mission_id)) == {}
    return True
