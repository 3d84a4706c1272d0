"""A mission that ran elsewhere, put into this log event by event: for import and replay. Runs nothing.

Beside `transitions` the only writer of a mission's status, because here the events come first: each is
appended under a number of this log, and the row follows what it says.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, insert, update

from models import missions, requests
from service import clock
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.events.text import encode, encode_bounded
from service.missions import files, progress
from service.missions.states import Status

OWNER = "playback"  # who writes the row meanwhile: no worker has this name
ENDS = tuple(f"mission.{status}" for status in Status if status.ended)


@dataclass
class Playback:
    """One mission on its way in. Its ids of files and requests become ids of this database."""

    mission_id: int
    contents: dict[int, bytes]
    _attempt: int = 0
    _requests: dict[int, int] = field(default_factory=dict)

    def play(self, conn: Connection, event: dict[str, Any]) -> None:
        """Append one event, and let the row say what it says."""
        if event["attempt"] != self._attempt:
            self._attempt = event["attempt"]
            self._set(conn, attempt=self._attempt)
        data = self._translated(conn, event)
        new = NewEvent(
            Kind(event["kind"]),
            event["name"],
            data,
            event.get("agent"),
            event.get("task"),
            event.get("call"),
            ms(event["at"]),
        )
        fence = log.Fence(self._attempt, OWNER)
        progress.record(conn, self.mission_id, [new], fence=fence)
        self._follow(conn, new)

    def finish(self, conn: Connection, mission: dict[str, Any]) -> None:
        """Take over what the mission came to."""
        self._set(
            conn,
            result=mission["result"] and encode_bounded(mission["result"]),
            error=mission["error"] and encode_bounded(mission["error"]),
            lease_owner=None,
            tasks_done=mission["progress"]["done"],
            tasks_total=mission["progress"]["total"],
        )

    def _translated(self, conn: Connection, event: dict[str, Any]) -> dict[str, Any]:
        data: dict[str, Any] = event["data"]
        match event["kind"], event["name"]:
            case Kind.HUMAN_INPUT_REQUEST, _:
                return self._open(conn, data)
            case Kind.HUMAN_RESPONSE, name:
                return self._close(conn, name, data, ms(event["at"]))
            case Kind.OUTPUT, "file" if data["file"].get("id") in self.contents:
                stored = files.store_output(
                    conn,
                    self.mission_id,
                    data["file"]["name"],
                    self.contents[data["file"]["id"]],
                    task=event.get("task"),
                )
                return {**data, "file": stored}
        return data

    def _open(self, conn: Connection, data: dict[str, Any]) -> dict[str, Any]:
        asked = ms(data["asked_at"])
        texts = {name: data.get(name) for name in ("type", "prompt", "context", "agent", "task")}
        values = {name: data.get(name) for name in ("options", "default", "schema")}
        workspace = missions.select().where(missions.c.id == self.mission_id)
        workspace_id = conn.execute(workspace).one().workspace_id
        seq = log.next_seq(conn, workspace_id)
        row = conn.execute(
            insert(requests)
            .values(
                workspace_id=workspace_id,
                mission_id=self.mission_id,
                attempt=self._attempt,
                key=f"playback:{data['id']}",
                status="pending",
                seq=seq,
                asked_ms=asked,
                expires_ms=ms(data["expires_at"]),
                **texts,
                **{name: None if v is None else encode(v) for name, v in values.items()},
            )
            .returning(requests.c.id)
        )
        number = self._requests[data["id"]] = int(row.scalar_one())
        return {**data, "id": number, "mission": self.mission_id, "seq": seq}

    def _close(
        self, conn: Connection, name: str, data: dict[str, Any], at_ms: int
    ) -> dict[str, Any]:
        number = self._requests[data["request"]]
        answered = {"answered_by": data.get("by"), "answered_ms": at_ms, "answer": None}
        if data.get("answer") is not None:
            answered["answer"] = encode(data["answer"])
        this = requests.c.id == number
        conn.execute(update(requests).where(this).values(status=name, **answered))
        return {**data, "request": number}

    def _follow(self, conn: Connection, event: NewEvent) -> None:
        values: dict[str, Any] = {}
        if event.kind is Kind.STATUS:
            if event.name.removeprefix("mission.") in list(Status):
                values["status"] = event.name.removeprefix("mission.")
            if event.name in ENDS:
                values["ended_ms"] = event.at_ms
            if event.name == "mission.running":
                values["started_ms"] = func.coalesce(missions.c.started_ms, event.at_ms)
            if event.name == "task.completed":
                values["tasks_done"] = missions.c.tasks_done + 1
        if values:
            self._set(conn, **values)

    def _set(self, conn: Connection, **values: Any) -> None:
        conn.execute(update(missions).where(missions.c.id == self.mission_id).values(**values))


def begin(
    conn: Connection, workspace_id: int, mission: dict[str, Any], contents: dict[int, bytes]
) -> Playback:
    """A row for a mission from elsewhere, without events. It is never queued: no worker sees it."""
    row = conn.execute(
        insert(missions)
        .values(
            workspace_id=workspace_id,
            title=mission["title"],
            engine=mission["engine"],
            project=mission["spec"].get("project"),
            spec=encode(mission["spec"]),
            status=Status.RUNNING,
            lease_owner=OWNER,
            on_worker_lost=mission["spec"].get("on_worker_lost", "resume"),
            created_ms=ms(mission["created_at"]),
            tasks_total=mission["progress"]["total"],
        )
        .returning(missions.c.id)
    )
    return Playback(int(row.scalar_one()), contents)


def ms(text: str) -> int:
    """A time of an event. Raises ValueError."""
    moment = clock.ms_of(text)
    if moment is None:
        raise ValueError(f"{text!r} is no time")
    return moment
