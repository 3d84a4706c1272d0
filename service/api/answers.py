"""How an answer leaves: JSON bytes with a length, never stored by anything in between."""

from collections.abc import Sequence
from typing import Any, TypeVar

from flask import Response

from service.events.text import encode

LIST_MAX_BYTES = 1_000_000  # below 1 MiB with the envelope around it

Item = TypeVar("Item")


def json_answer(
    value: Any, status: int = 200, *, headers: dict[str, str] | None = None
) -> Response:
    # Not orjson.dumps: what an agent made may be nested deeper than that writes.
    return raw_answer(encode(value).encode(), status, headers=headers)


def raw_answer(
    body: bytes,
    status: int = 200,
    *,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    return Response(body, status, content_type=content_type, headers=headers)


def that_fit(items: Sequence[Item]) -> Sequence[Item]:
    """As many items from the front as one answer can carry, at least one if there is one."""
    size = 0
    for count, item in enumerate(items):
        size += len(encode(item).encode()) + 1
        if count and size > LIST_MAX_BYTES:
            return items[:count]
    return items


def protect(response: Response) -> Response:
    """The headers that every answer has."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
