"""How an attempt ended, as its child tells the supervisor."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. kind: completed, failed or interrupted; the fields are its own."""

    kind: str
    text: str = ""
    json: Any = None
    code: str = ""
    message: str = ""
    retryable: bool = False
