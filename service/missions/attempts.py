"""What workers do to missions: claim, end, hand over, recover. Every write is fenced."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete

from models import task_outputs
from service.db import Database
from service.events.kinds import Kind, NewEvent
from service.events.log import Fence
from service.events.text import decode, encode, encode_bounded
from service.missions import open_requests, projects, queue, specs, transitions
from service.missions.project_spec import ProjectSpec
from service.missions.queue import NO_LIMITS, Due, Limits
from service.missions.specs import Spec
from service.missions.states import HELD, Status
from service.missions.target import Target

UNREAD = {
    "code": "spec_unreadable",
    "message": "This worker cannot read the mission's spec: another version has written it.",
    "retryable": False,
}
MAX_LOSSES = 3  # a mission that takes its worker down every time must not do so for ever


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt of a mission, held by one worker.

    restarts: how often it has begun anew from its first task; its earlier questions and
    answers then no longer count. project: where the project of its spec is, if there is one.
    """

    mission_id: int
    workspace_id: int
    fence: Fence
    spec: Spec
    restarts: int
    project: Target | None = None
    used: tuple[int, float | None] = (0, None)  # tokens and dollars, by earlier attempts


def claim_next(
    db: Database,
    owner: str,
    *,
    lease_s: float,
    limits: Limits = NO_LIMITS,
    due: Due | None = None,
) -> Claim | None:
    """Take the queued mission whose turn it is under a lease; None when there is none to take.

    due: what `queue.look` has found. One whose spec cannot be read fails instead: it must not end every
    worker that comes to it.
    """
    taken = queue.take(db, owner, int(lease_s * 1000), limits, due)
    if taken is None:
        return None
    fence = Fence(taken.attempt, owner)
    try:
        spec = specs.load(decode(taken.spec))
    except ValidationError:
        with db.transaction() as conn:
            _fail(conn, taken.id, fence, UNREAD)
        return None
    restarts = taken.losses if taken.on_worker_lost == "restart" else 0
    project = _project(db, spec)
    used = (taken.prompt_tokens + taken.completion_tokens, taken.cost_usd)
    return Claim(taken.id, taken.workspace_id, fence, spec, restarts, project, used)


def _project(db: Database, spec: Spec) -> Target | None:
    if not isinstance(spec, ProjectSpec):
        return None
    with db.glance() as conn:
        return projects.where(conn, spec.project)


def complete(conn: Connection, claim: Claim, *, text: str, json: Any) -> None:
    """End a mission well. Its result is {"text", "json"}."""
    result = {"text": text, "json": json}
    final = NewEvent(Kind.OUTPUT, "final", result)
    stored = encode_bounded(result)
    to, reason = Status.COMPLETED, "all tasks are done"
    _end(conn, claim.mission_id, claim.fence, to, reason, [final], result=stored)


def fail(
    conn: Connection,
    claim: Claim,
    *,
    code: str,
    message: str,
    retryable: bool,
    before: Sequence[NewEvent] = (),
) -> None:
    """End a mission with an error: code, message and retryable, as in the ERROR event.

    before: events that are stored just ahead of that one.
    """
    error = {"code": code, "message": message, "retryable": retryable}
    _fail(conn, claim.mission_id, claim.fence, error, before)


def _fail(
    conn: Connection,
    mission_id: int,
    fence: Fence,
    error: dict[str, Any],
    before: Sequence[NewEvent] = (),
) -> None:
    events = [*before, NewEvent(Kind.ERROR, "mission", error)]
    to, reason, stored = Status.FAILED, error["message"], encode_bounded(error)
    _end(conn, mission_id, fence, to, reason, events, error=stored)


def end_cancelled(conn: Connection, claim: Claim) -> None:
    to, reason = Status.CANCELLED, "cancelled while it ran"
    _end(conn, claim.mission_id, claim.fence, to, reason, [])


def _end(
    conn: Connection,
    mission_id: int,
    fence: Fence,
    to: Status,
    reason: str,
    events: Sequence[NewEvent],
    **columns: Any,
) -> None:
    mission = transitions.held(conn, mission_id, fence)
    before = [*events, _total(mission)]
    transitions.move(conn, mission, to, reason=reason, before=before, fence=fence, **columns)


def hand_over(conn: Connection, claim: Claim) -> Status:
    """Give a mission back to the queue because its worker is going down. Returns its new status.

    One that is to be cancelled ends here: it must not start again somewhere else.
    """
    mission = transitions.held(conn, claim.mission_id, claim.fence)
    if mission.cancel_requested_ms is not None:
        end_cancelled(conn, claim)
        return Status.CANCELLED
    transitions.move(
        conn,
        mission,
        Status.QUEUED,
        reason="its worker is stopping",
        fence=claim.fence,
    )
    return Status.QUEUED


def lose(
    conn: Connection, mission_id: int, *, reason: str, fence: Fence | None = None
) -> Status | None:
    """Recover a mission whose worker is gone: queue it again, or end it, as it asked for.

    Returns its new status, None when nobody held it.

    fence: of a worker whose own child died; without it, whoever holds the mission loses it.
    In the ERROR event, `restart` says that the tasks which were done no longer count.
    Raises LeaseLost when the fence does not hold.
    """
    mission = transitions.lock(conn, mission_id)
    if fence is not None:
        mission = transitions.held(conn, mission_id, fence)
    if mission is None or mission.status not in HELD:
        return None
    losses = mission.losses + 1
    error = {"code": "worker_lost", "message": reason, "retryable": True}
    to = _after_loss(mission, losses)
    restart = to is Status.QUEUED and mission.on_worker_lost == "restart"
    before = [NewEvent(Kind.ERROR, "worker_lost", {**error, "restart": restart})]
    columns: dict[str, Any] = {"losses": losses}
    if to.ended:
        before.append(_total(mission))
        columns["error"] = encode(error) if to is Status.FAILED else None
    elif restart:
        before += open_requests.cancel_all(conn, mission.id)
        conn.execute(delete(task_outputs).where(task_outputs.c.mission_id == mission.id))
        columns["tasks_done"] = 0
    transitions.move(conn, mission, to, reason=reason, before=before, **columns)
    return to


def _after_loss(mission: Row[Any], losses: int) -> Status:
    if mission.cancel_requested_ms is not None:
        return Status.CANCELLED
    if mission.on_worker_lost == "fail" or losses >= MAX_LOSSES:
        return Status.FAILED
    return Status.QUEUED


def _total(mission: Row[Any]) -> NewEvent:
    """The mission's whole usage, over all of its attempts."""
    total = {
        "model": None,
        "prompt_tokens": mission.prompt_tokens,
        "completion_tokens": mission.completion_tokens,
        "cached_tokens": mission.cached_tokens,
        "reasoning_tokens": mission.reasoning_tokens,
        "cost_usd": mission.cost_usd,
    }
    return NewEvent(Kind.USAGE, "total", total)
