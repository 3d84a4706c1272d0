"""Every error a client can meet, declared once. `api.problems` turns them into HTTP, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Declared:
    """What an error code means: its HTTP status and one sentence for people."""

    status: int
    title: str


ERRORS: Mapping[str, Declared] = {
    "malformed_json": Declared(400, "The body is not valid JSON in UTF-8"),
    "bad_request": Declared(400, "The request cannot be understood"),
    "unauthorized": Declared(401, "A valid token is needed"),
    "forbidden": Declared(403, "The token's scopes do not allow this"),
    "host_not_allowed": Declared(403, "The server does not go by that name"),
    "not_found": Declared(404, "There is no such thing here"),
    "method_not_allowed": Declared(405, "This path does not take that method"),
    "body_too_slow": Declared(408, "The body did not come in time"),
    "mission_ended": Declared(409, "The mission has ended"),
    "already_answered": Declared(409, "Somebody else has answered"),
    "cursor_ahead": Declared(410, "The cursor is past the end of the log"),
    "cursor_expired": Declared(410, "The events after the cursor are no longer stored"),
    "request_expired": Declared(410, "The deadline for an answer has passed"),
    "body_too_large": Declared(413, "The body is too large"),
    "unsupported_media_type": Declared(415, "The body is of a type that is not taken here"),
    "invalid": Declared(422, "The request does not fit"),
    "unknown_field": Declared(422, "A parameter or key is not known"),
    "key_reused": Declared(422, "The Idempotency-Key was used with another body"),
    "too_many_requests": Declared(429, "The token asks too often"),
    "too_many_queued": Declared(429, "Too many missions of this workspace wait for a worker"),
    "too_many_attempts": Declared(429, "Too many attempts to sign in"),
    "database_unavailable": Declared(503, "The database does not answer"),
    "internal": Declared(500, "Something went wrong on our side"),
}


class Problem(Exception):
    """An error that a client caused and can act on.

    code: a key of ERRORS. detail: for people; never an exception's text.
    extra: what the case needs besides, JSON values.
    """

    def __init__(self, code: str, detail: str | None = None, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.declared = ERRORS[code]
        self.detail = detail or self.declared.title
        self.extra = extra


class LeaseLost(Exception):
    """The writer no longer holds the mission: nothing was written, and nothing may be."""
