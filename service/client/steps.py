"""Calls as steps, without a network: what to send next, how long to pause, what came of it.

Each call is a generator that yields Send and Pause and is given the response to each Send, or has
the transport's exception thrown into it. `sync` and `aio` only carry out the steps: so both clients
wait, repeat and give up in the same way, and a test needs neither.
"""

import random
import time
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import httpx

from service.client import errors
from service.client.errors import ApiError

TIMEOUT = httpx.Timeout(40.0, connect=5.0)  # a hold is 25 s at most; a proxy may add a little
BACKOFF_FIRST_S, BACKOFF_MOST_S = 0.2, 5.0
RETRY_AFTER_MOST_S = 60.0
# Somebody on the way is not ready. 404 is not among them: it is what a wrong address gets.
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 530})


@dataclass(frozen=True, slots=True)
class Send:
    """A request to make."""

    method: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    # parts of a form, as httpx takes them, instead of json
    parts: list[tuple[str, tuple[str | None, bytes]]] | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Steps = Generator[Send | Pause, Any, Any]
Read = Callable[[httpx.Response], Any]


class Patience:
    """How long failures in a row are waited out, with a growing pause in between."""

    def __init__(self, most_s: float | None) -> None:
        """most_s: from the first failure on; None for as long as it takes."""
        self._most_s = most_s
        self._failures = 0
        self._since = 0.0

    def renew(self) -> None:
        """Something worked: begin anew with the next failure."""
        self._failures = 0

    def after(self, error: Exception) -> Pause:
        """The pause before the next try. Raises the error when it is none that passes, or too old."""
        now = time.monotonic()
        self._since = self._since if self._failures else now
        if not _passes(error) or (self._most_s is not None and now - self._since >= self._most_s):
            raise error
        self._failures += 1
        return Pause(max(_back_off_s(self._failures), _asked_for_s(error)))


def call(send: Send, patience_s: float | None, read: Read | None = None) -> Steps:
    """One request and what it gave, through outages. read: the answer's value; ValueError: no answer of ours."""
    patience = Patience(patience_s)
    while True:
        try:
            return (read or json_object)(succeeded((yield send)))
        except (httpx.TransportError, ValueError, ApiError) as error:
            pause = patience.after(error)
        yield pause


def once(send: Send) -> Steps:
    """One request that must not be made twice."""
    return call(send, 0.0)


def keyed(path: str, body: Any, key: str | None, patience_s: float | None) -> Steps:
    """A POST under an Idempotency-Key: made again after an outage, it still happens once."""
    return call(Send("POST", path, json=body, headers=under(key)), patience_s)


def under(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid.uuid4().hex}


def succeeded(response: httpx.Response) -> httpx.Response:
    """The answer itself. Raises ApiError when it is no success."""
    if response.is_success:
        return response
    raise errors.of(response)


def json_object(response: httpx.Response) -> Any:
    """The body's JSON object. Raises ValueError for a page that somebody else put in its place."""
    found = response.json()
    if not isinstance(found, dict):
        raise ValueError("not an answer of the API")
    return found


def _passes(error: Exception) -> bool:
    return not isinstance(error, ApiError) or error.status in AGAIN


def _asked_for_s(error: Exception) -> float:
    asked = error.body.get("retry_s") if isinstance(error, ApiError) else None
    return min(float(asked), RETRY_AFTER_MOST_S) if isinstance(asked, int | float) else 0.0


def _back_off_s(failures: int) -> float:
    """Full jitter: clients that lost the server together do not come back together."""
    most = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** min(failures, 10))
    return random.uniform(0, most)  # noqa: S311
