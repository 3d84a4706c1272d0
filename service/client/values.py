"""The JSON objects of the API as types. Plain dicts at run time: nothing is converted or checked."""

from typing import Any, Literal, NotRequired, TypedDict

Status = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]
ENDED: tuple[Status, ...] = ("completed", "failed", "cancelled")


class Event(TypedDict):
    """One row of the log. More kinds and names may come: skip what you do not know."""

    seq: int
    mission: int
    mseq: int
    attempt: int
    kind: str
    name: str
    at: str
    agent: NotRequired[str]
    task: NotRequired[str]
    call: NotRequired[str]
    data: dict[str, Any]


class Mission(TypedDict):
    id: int
    title: str
    engine: str
    status: Status
    rev: int
    attempt: int
    created_at: str
    started_at: str | None
    ended_at: str | None
    retry_of: int | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    usage: dict[str, Any]
    progress: dict[str, int]
    requests: list[int]
    spec: dict[str, Any]
    as_of: NotRequired[int]


class Question(TypedDict):
    """A request to a human."""

    id: int
    mission: int
    seq: int
    type: Literal["text", "choice", "approval", "form"]
    prompt: str
    context: str | None
    options: list[str] | None
    default: Any
    schema: dict[str, Any] | None
    agent: str | None
    task: str | None
    status: Literal["pending", "answered", "expired", "cancelled"]
    asked_at: str
    expires_at: str
    answer: Any
    answered_by: str | None
    answered_at: str | None
    read_at: str | None


class File(TypedDict):
    id: int
    mission: int
    direction: Literal["input", "output"]
    task: str | None
    name: str
    bytes: int
    sha256: str
    media_type: str
    created_at: str
