"""A mission's events as paragraphs, for a page without scripts. Reads the newest part of the log only."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from service.events import log

EVENTS_MAX = 5_000  # read again at each refresh
TEXT_MAX_CHARS = 20_000


@dataclass(slots=True)
class Paragraph:
    """What one call, thought, result or question came to. head: who or what; text may grow."""

    kind: str
    task: str
    head: str
    text: str = ""
    parts: list[str] = field(default_factory=list)

    def whole(self) -> str:
        text = self.text + "".join(self.parts)
        return text if len(text) <= TEXT_MAX_CHARS else text[:TEXT_MAX_CHARS] + " …"


def read(conn: Connection, workspace_id: int, mission_id: int) -> tuple[list[Paragraph], bool]:
    """The paragraphs, oldest first, and whether earlier ones are left out."""
    head = log.head(conn, workspace_id).head
    after = log.newest_before(conn, workspace_id, EVENTS_MAX, mission_id)
    rows = log.read(
        conn,
        workspace_id,
        after,
        head,
        limit=EVENTS_MAX,
        mission_ids=[mission_id],
        without_kinds=["LOG", "USAGE"],
    )
    told = _Told()
    for _seq, text in rows:
        told.take(orjson.loads(text))
    return told.paragraphs, after > 0


class _Told:
    """Paragraphs while the events pass by."""

    def __init__(self) -> None:
        self.paragraphs: list[Paragraph] = []
        self._calls: dict[str, Paragraph] = {}

    def take(self, event: dict[str, Any]) -> None:
        data = event["data"]
        match event["kind"], event["name"]:
            case "STREAM", "text":
                self._call(event).parts.append(data["delta"])
            case "THOUGHT", _:
                self._add(event, "thought", data["text"])
            case "ACTION", name if name.startswith("tool."):
                self._add(event, name, _shown(data))
            case "OUTPUT", "file":
                self._add(event, "file", data["file"]["name"])
            case "OUTPUT", name:
                self._add(
                    event,
                    "result of the mission" if name == "final" else "result",
                    data["text"] or "",
                )
            case "HUMAN_INPUT_REQUEST", _:
                self._add(event, "question", data["prompt"])
            case "HUMAN_RESPONSE", name:
                self._add(event, f"question {name}", _shown(data.get("answer")))
            case "ERROR", _:
                self._add(event, f"error {data.get('code', '')}", data.get("message") or "")

    def _call(self, event: dict[str, Any]) -> Paragraph:
        key = f"{event['attempt']} {event.get('call')}"
        if key not in self._calls:
            self._calls[key] = self._add(event, event.get("agent") or "model", "")
        return self._calls[key]

    def _add(self, event: dict[str, Any], head: str, text: str) -> Paragraph:
        paragraph = Paragraph(event["kind"], event.get("task") or "", head, text)
        self.paragraphs.append(paragraph)
        return paragraph


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
