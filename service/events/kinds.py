"""The vocabulary of the log, and an event before it has a number."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from service import clock


class Kind(StrEnum):
    """What an event is about. Clients switch on it."""

    STATUS = "STATUS"
    STREAM = "STREAM"
    THOUGHT = "THOUGHT"
    ACTION = "ACTION"
    OUTPUT = "OUTPUT"
    HUMAN_INPUT_REQUEST = "HUMAN_INPUT_REQUEST"
    HUMAN_RESPONSE = "HUMAN_RESPONSE"
    USAGE = "USAGE"
    LOG = "LOG"
    ERROR = "ERROR"


@dataclass(slots=True)
class NewEvent:
    """An event on its way into the log.

    name: what happened, within the kind (`tool.started`). data: JSON values; the shape belongs
    to kind and name. call: ties start, deltas and end of one model or tool call.
    """

    kind: Kind
    name: str
    data: dict[str, Any]
    agent: str | None = None
    task: str | None = None
    call: str | None = None
    at_ms: int = field(default_factory=lambda: clock.now_ms())
