"""How an answer leaves: JSON bytes with a length, never stored by anything in between."""

from typing import Any

import orjson
from flask import Response


def json_answer(
    value: Any, status: int = 200, *, headers: dict[str, str] | None = None
) -> Response:
    return raw_answer(orjson.dumps(value), status, headers=headers)


def raw_answer(
    body: bytes,
    status: int = 200,
    *,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    return Response(body, status, content_type=content_type, headers=headers)


def protect(response: Response) -> Response:
    """The headers that every answer has."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
