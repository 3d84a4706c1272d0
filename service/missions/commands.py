"""What clients do to missions: create, cancel, retry."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from models import missions
from service import clock
from service.errors import Problem
from service.events import log
from service.events.text import decode, encode, repair
from service.missions import specs, transitions
from service.missions.files import Upload, copy_inputs, store_inputs
from service.missions.project_spec import ProjectSpec
from service.missions.specs import Spec
from service.missions.states import Status

DEFAULT_ENGINE = "crewai"
Besides = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's key for a POST, and what it sent: the same key may only mean the same body."""

    key: str
    sha256: str

    @classmethod
    def of(cls, key: str, body: bytes) -> "Idempotency":
        return cls(key, hashlib.sha256(body).hexdigest())


def _nothing(_mission_id: int) -> None:
    """What most write beside a mission."""


def find_replay(conn: Connection, workspace_id: int, idempotency: Idempotency) -> int | None:
    """The mission that this key made before, None for a new key. Raises Problem key_reused.

    Of two that come with one key at once the second waits here for the first.
    """
    if conn.dialect.name == "postgresql":
        told_apart = func.hashtextextended(idempotency.key, workspace_id)
        conn.execute(select(func.pg_advisory_xact_lock(told_apart)))
    earlier = conn.execute(
        select(missions.c.id, missions.c.idempotency_sha256).where(
            missions.c.workspace_id == workspace_id,
            missions.c.idempotency_key == idempotency.key,
        )
    ).one_or_none()
    if earlier is None:
        return None
    if earlier.idempotency_sha256 != idempotency.sha256:
        raise Problem("key_reused")
    return int(earlier.id)


def create(
    conn: Connection,
    workspace_id: int,
    spec: Spec,
    *,
    files: Sequence[Upload] = (),
    retry_of: int | None = None,
    idempotency: Idempotency | None = None,
    besides: Besides = _nothing,
) -> int:
    """Store a mission, queued, with its first event and the files it is given. Returns its id.

    besides: what else is written, ahead of the event: behind that one the whole workspace waits for the commit.
    """
    now = clock.now_ms()
    result = conn.execute(
        insert(missions)
        .values(
            workspace_id=workspace_id,
            title=repair(spec.display_title()),
            engine=spec.engine or DEFAULT_ENGINE,
            project=spec.project if isinstance(spec, ProjectSpec) else None,
            spec=encode(specs.dump(spec)),
            status=Status.QUEUED,
            on_worker_lost=spec.on_worker_lost,
            created_ms=now,
            priority=spec.priority,
            not_before_ms=spec.not_before and clock.ms_of(spec.not_before),
            tasks_total=len(spec.plan),
            retry_of=retry_of,
            idempotency_key=idempotency and idempotency.key,
            idempotency_sha256=idempotency and idempotency.sha256,
        )
        .returning(missions.c.id)
    )
    mission_id = int(result.scalar_one())
    store_inputs(conn, mission_id, files)
    besides(mission_id)
    queued = transitions.status_event("mission.queued", None, Status.QUEUED, "created")
    log.append(conn, mission_id, [queued], fence=None)
    return mission_id


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
) -> int:
    """A new mission from an earlier one's spec and files. Returns its id. Raises Problem not_found."""
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


def _own(conn: Connection, workspace_id: int, mission_id: int) -> Row[Any]:
    mission = transitions.lock(conn, mission_id)
    if mission is None or mission.workspace_id != workspace_id:
        raise Problem("not_found", f"There is no mission {mission_id}.")
    return mission
