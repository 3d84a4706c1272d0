"""What clients do to missions: create, cancel, retry."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, update

from models import missions
from service import clock
from service.db import Database, rows
from service.errors import Problem
from service.events import log
from service.events.kinds import NewEvent
from service.events.text import decode, encode, repair
from service.missions import queries, specs, transitions
from service.missions.admission import Idempotency
from service.missions.files import Upload, copy_inputs, store_inputs
from service.missions.project_spec import ProjectSpec
from service.missions.specs import Spec
from service.missions.states import Status
from service.security.tokens import Access

DEFAULT_ENGINE = "crewai"
# See the migration that makes it.
CREATE = """
SELECT made, seq FROM longline_create(
  %(workspace_id)s, %(title)s, %(engine)s, %(project)s, %(spec)s, %(on_worker_lost)s, %(created_ms)s,
  %(priority)s, %(not_before_ms)s, %(tasks_total)s, %(idempotency_key)s, %(idempotency_sha256)s,
  %(changes)s, %(lock)s, %(most)s, %(actor)s, %(token_id)s, %(job_queue)s, %(job_task)s, %(event)s, %(data)s
)
"""
Besides = Callable[[int], None]


class Job(NamedTuple):
    """What a queue is given for a mission."""

    queue: str
    task: str


def _nothing(_mission_id: int) -> None:
    """What most write beside a mission."""


def create_at_once(
    db: Database,
    access: Access,
    spec: Spec,
    *,
    job: Job | None,
    idempotency: Idempotency | None,
    most: int,
) -> dict[str, Any] | None:
    """On PostgreSQL, all that a POST without files does, as one statement that is a transaction by itself.

    job: what the workers hear of it by. access: may be as of some time ago. None where nothing was made: on
    SQLite; where access has changed since; where it may not be, or has been made before, which is left to
    `admission.check` to tell.
    """
    if db.is_sqlite:
        return None
    row = _row(access.workspace_id, spec, None, idempotency)
    by = {"actor": access.name, "token_id": access.token_id, "changes": access.changes}
    admitted = {"most": most, "lock": idempotency and idempotency.lock(access.workspace_id)}
    rung = {"job_queue": job and job.queue, "job_task": job and job.task}
    queued = _queued()
    said = {"event": queued.name, "data": encode(queued.data)}
    for mission_id, seq in db.at_once(CREATE, row | by | admitted | rung | said):
        return queries.new({"id": mission_id, **row}, seq)
    return None


def create(
    conn: Connection,
    workspace_id: int,
    spec: Spec,
    *,
    files: Sequence[Upload] = (),
    retry_of: int | None = None,
    idempotency: Idempotency | None = None,
    besides: Besides = _nothing,
) -> dict[str, Any]:
    """Store a mission, queued, with its first event and the files it is given. Returns it, as `queries.one`.

    besides: what else is written, ahead of the event: behind that one the whole workspace waits for the commit.
    """
    row = _row(workspace_id, spec, retry_of, idempotency)
    ((mission_id,),) = rows(conn, _insertion(*row), list(row.values()))
    store_inputs(conn, mission_id, files)
    besides(mission_id)
    appended = log.append(conn, mission_id, [_queued()], fence=None)
    # Not read again: who made it waits for this transaction's end, as do the workers.
    return queries.new({"id": mission_id, **row}, appended.last_seq)


def _queued() -> NewEvent:
    return transitions.status_event("mission.queued", None, Status.QUEUED, "created")


def _row(
    workspace_id: int, spec: Spec, retry_of: int | None, idempotency: Idempotency | None
) -> dict[str, Any]:
    """What a new mission is given."""
    return {
        "workspace_id": workspace_id,
        "title": repair(spec.display_title()),
        "engine": spec.engine or DEFAULT_ENGINE,
        "project": spec.project if isinstance(spec, ProjectSpec) else None,
        "spec": encode(specs.dump(spec)),
        "status": Status.QUEUED.value,
        "on_worker_lost": spec.on_worker_lost,
        "created_ms": clock.now_ms(),
        "priority": spec.priority,
        "not_before_ms": spec.not_before and clock.ms_of(spec.not_before),
        "tasks_total": len(spec.plan),
        "retry_of": retry_of,
        "idempotency_key": idempotency and idempotency.key,
        "idempotency_sha256": idempotency and idempotency.sha256,
    }


def cancel(conn: Connection, workspace_id: int, mission_id: int) -> None:
    """End a queued mission at once; order a running one's worker to end it. Again changes nothing.

    Raises Problem not_found, mission_ended.
    """
    mission = _own(conn, workspace_id, mission_id)
    status = Status(mission.status)
    if status.ended:
        raise Problem("mission_ended", f"The mission is {status}.", status=status)
    now = clock.now_ms()
    if status is Status.QUEUED:
        transitions.move(
            conn,
            mission,
            Status.CANCELLED,
            reason="cancelled before it ran",
            cancel_requested_ms=now,
        )
    elif mission.cancel_requested_ms is None:
        conn.execute(
            update(missions).where(missions.c.id == mission_id).values(cancel_requested_ms=now)
        )
        transitions.announce(conn, mission, "mission.cancelling", "cancel was requested")


def retry(
    conn: Connection,
    workspace_id: int,
    mission_id: int,
    *,
    idempotency: Idempotency | None = None,
    besides: Besides = _nothing,
) -> dict[str, Any]:
    """A new mission from an earlier one's spec and files, as `create` makes it. Raises Problem not_found."""
    mission = _own(conn, workspace_id, mission_id)
    spec = specs.load(decode(mission.spec))

    def also(again: int) -> None:
        copy_inputs(conn, mission_id, again)
        besides(again)

    return create(
        conn,
        workspace_id,
        spec,
        retry_of=mission_id,
        idempotency=idempotency,
        besides=also,
    )


@cache
def _insertion(*columns: str) -> str:
    """A new row, for the driver: nearly all of a POST's time is that of the statements around it."""
    places = ", ".join("?" * len(columns))
    return f"INSERT INTO missions ({', '.join(columns)}) VALUES ({places}) RETURNING id"  # noqa: S608 (our own names)


def _own(conn: Connection, workspace_id: int, mission_id: int) -> Row[Any]:
    mission = transitions.lock(conn, mission_id)
    if mission is None or mission.workspace_id != workspace_id:
        raise Problem("not_found", f"There is no mission {mission_id}.")
    return mission
