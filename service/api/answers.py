"""How an answer leaves: JSON bytes with a length, never stored by anything in between."""

from collections.abc import Sequence
from typing import Any, TypeVar

from flask import Response, redirect, request

from service.events.text import encode

LIST_MAX_BYTES = 1_000_000  # below 1 MiB with the envelope around it

# An answer that a browser is made to open shows nothing, runs nothing and stands in no frame.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

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


def see_other(path: str) -> Response:
    """Go on there, with GET."""
    moved = redirect(path, 303)
    return Response(moved.get_data(), 303, headers=moved.headers)


def that_fit(items: Sequence[Item]) -> Sequence[Item]:
    """As many items from the front as one answer can carry, at least one if there is one."""
    size = 0
    for count, item in enumerate(items):
        size += len(encode(item).encode()) + 1
        if count and size > LIST_MAX_BYTES:
            return items[:count]
    return items


def protect(response: Response) -> Response:
    """The headers that every answer has. A page has set a policy of its own before."""
    given = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 (a multidict's own iteration gives pairs)
    response.headers.extend(pair for pair in HEADERS.items() if pair[0].lower() not in given)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
