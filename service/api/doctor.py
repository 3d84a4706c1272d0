"""`GET /doctor`: answers by which a client finds out what the path to us does to them. `longline doctor` does.

Nothing here touches the database beyond the token, and nothing is worth stealing: of the request's
headers only those are told back that a client of ours sends.
"""

import hashlib
import secrets
import time
from collections.abc import Iterator

from flask import Blueprint, Response, request

from service.api.access import allow
from service.api.answers import json_answer, raw_answer
from service.api.parsing import single
from service.feed.cursor import CLIENT_MAX_CHARS, WAIT_MAX_S, integer, misfit, seconds

BYTES_MAX = 1_000_000  # as large as answers get
TICKS = 5
TICK_S = 0.4
# What a path may strip; a token's value is never told back.
TOLD_BACK = ("Accept", "Idempotency-Key", "Last-Event-ID", "Via", "X-Forwarded-For")

blueprint = Blueprint("doctor", __name__)


@blueprint.get("/doctor")
def doctor() -> Response:
    """Held for `hold` seconds; with `bytes`, of that size; as an event stream, in ticks."""
    allow("read")
    given = single("hold", "bytes", "stream", "client")
    if len(given.get("client", "")) > CLIENT_MAX_CHARS:
        raise misfit("client", f"may have {CLIENT_MAX_CHARS} characters at most")
    if given.get("stream", "0") not in ("0", "1"):
        raise misfit("stream", "must be 0 or 1")
    size = integer(given, "bytes", 0, low=0, high=BYTES_MAX)
    hold_s = seconds(given, "hold", 0.0)
    if given.get("stream") == "1":
        return Response(_ticks(), content_type="text/event-stream")
    time.sleep(min(hold_s, WAIT_MAX_S))  # a greenlet's: gunicorn has patched it
    return _filled(size) if size else json_answer(_seen(hold_s), headers=_marked())


def _seen(hold_s: float) -> dict[str, object]:
    """What arrived here, with a number that no other answer has."""
    headers = {name: request.headers.get(name) for name in TOLD_BACK}
    return {
        "nonce": secrets.token_hex(8),
        "held_s": hold_s,
        "headers": headers | {"Authorization": "Authorization" in request.headers},
        "scheme": request.scheme,
    }


def _marked() -> dict[str, str]:
    """A header of our own, which a path may strip on the way back."""
    return {"X-Longline-Doctor": "1"}


def _filled(size: int) -> Response:
    """Bytes that do not compress, and their checksum."""
    body = secrets.token_hex(size // 2 + 1)[:size].encode()
    digest = hashlib.sha256(body).hexdigest()
    return raw_answer(body, content_type="text/plain", headers={"X-Longline-Sha256": digest})


def _ticks() -> Iterator[bytes]:
    for number in range(1, TICKS + 1):
        yield f"id: {number}\ndata: {{}}\n\n".encode()
        time.sleep(TICK_S)
