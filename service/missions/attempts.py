"""What workers do to missions: claim, end, hand over, recover. Every write is fenced."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete, update

from models import missions, task_outputs
from service import clock
from service.events.kinds import Kind, NewEvent
from service.events.log import Fence
from service.events.text import decode, encode, encode_bounded
from service.missions import open_requests, projects, queue, specs, transitions
from service.missions.project_spec import ProjectSpec
from service.missions.queue import NO_LIMITS, Due, Limits
from service.missions.specs import Spec
from service.missions.states import HELD, Status
from service.missions.target import Target

UNREAD = "This worker cannot read the mission's spec: another version has written it."
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
    conn: Connection,
    owner: str,
    *,
    lease_s: float,
    limits: Limits = NO_LIMITS,
    due: Due | None = None,
) -> Claim | None:
    """Take the queued mission whose turn it is under a lease; None when there is none to take.

    due: what `queue.look` has found, where the transaction began with the lock of `queue.turn`.
    One whose spec cannot be read fails instead: it must not end every worker that comes to it.
    """
    due = due or queue.take_turn(conn, limits)
    mission = None if due is None else queue.begin_next(conn, limits, due)
    if mission is None:
        return None
    try:
        spec = specs.load(decode(mission.spec))
    except ValidationError:
        _fail_unread(conn, mission)
        return None
    transitions.move(
        conn,
        mission,
        Status.RUNNING,
        reason="claimed by a worker",
        besides=queue.served(mission.workspace_id),
        lease_owner=owner,
        lease_until_ms=clock.now_ms() + int(lease_s * 1000),
    )
    restarts = mission.losses if mission.on_worker_lost == "restart" else 0
    project = projects.where(conn, spec.project) if isinstance(spec, ProjectSpec) else None
    fence = Fence(mission.attempt, owner)
    used = (mission.prompt_tokens + mission.completion_tokens, mission.cost_usd)
    return Claim(mission.id, mission.workspace_id, fence, spec, restarts, project, used)


def _fail_unread(conn: Connection, mission: Row[Any]) -> None:
    """Without an attempt: nothing of it has run."""
    not_begun = update(missions).where(missions.c.id == mission.id)
    conn.execute(not_begun.values(attempt=mission.attempt - 1))
    error = {"code": "spec_unreadable", "message": UNREAD, "retryable": False}
    before = [NewEvent(Kind.ERROR, "mission", error), _total(mission)]
    transitions.move(
        conn, mission, Status.FAILED, reason=UNREAD, before=before, error=encode(error)
    )


def complete(conn: Connection, claim: Claim, *, text: str, json: Any) -> None:
    """End a mission well. Its result is {"text", "json"}."""
    result = {"text": text, "json": json}
    final = NewEvent(Kind.OUTPUT, "final", result)
    stored = encode_bounded(result)
    _end(conn, claim, Status.COMPLETED, "all tasks are done", [final], result=stored)


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
    event = NewEvent(Kind.ERROR, "mission", error)
    _end(conn, claim, Status.FAILED, message, [*before, event], error=encode_bounded(error))


def end_cancelled(conn: Connection, claim: Claim) -> None:
    _end(conn, claim, Status.CANCELLED, "cancelled while it ran", [])


def _end(
    conn: Connection,
    claim: Claim,
    to: Status,
    reason: str,
    events: Sequence[NewEvent],
    **columns: Any,
) -> None:
    mission = transitions.held(conn, claim.mission_id, claim.fence)
    before = [*events, _total(mission)]
    transitions.move(conn, mission, to, reason=reason, before=before, fence=claim.fence, **columns)


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
