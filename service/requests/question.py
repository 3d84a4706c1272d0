"""A question to a human and what came back. Values only: nothing here waits or stores."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

QuestionType = Literal["text", "choice", "approval", "form"]


class RequestStatus(StrEnum):
    PENDING = "pending"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Question:
    """What a human is asked.

    key: names the question within the mission; an attempt that starts again asks under the same
    key, and gets the question it had asked before instead of a second one.
    context: markdown shown with the prompt. options: of a choice. schema: JSON Schema of a form.
    default: what `on_timeout: default` answers. timeout_s: null takes the mission's.
    """

    key: str
    prompt: str
    type: QuestionType = "text"
    context: str | None = None
    options: list[str] | None = None
    default: Any = None
    schema: dict[str, Any] | None = None
    timeout_s: float | None = None
    agent: str | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    status: answered or expired. value: the answer; on expiry the default, or null.
    prompt, context: as the human saw them, which after a lost worker may not be what
    this attempt would have asked. default: what the question offered for silence.
    """

    status: RequestStatus
    value: Any
    by: str | None
    prompt: str
    context: str | None
    default: Any = None
