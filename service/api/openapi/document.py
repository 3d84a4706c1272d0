"""The whole document, put together."""

from importlib.metadata import version
from typing import Any

from service.api.openapi import further, paths
from service.api.openapi.next_steps import linked
from service.api.openapi.pages import OPERATIONS, PAGES
from service.api.openapi.values import TEXT, schemas

TEXT_OF_ALL = """Runs AI-agent missions and shows them as they happen, over plain HTTP.

Times are UTC in RFC 3339, durations are seconds. Parameters and keys that are not known are refused.
Errors are `application/problem+json`; decide by their `code`. A method that a path does not take is
answered with 405 `method_not_allowed` and `Allow`. Every answer is below 1 MiB and comes within 25 s.
"""

TAGS = {
    "Events": "Everything that happens, in order: ask for what is behind your number.",
    "Missions": "Agents with a plan, or a project, at work.",
    "Questions": "What agents ask, and the answers.",
    "Sharing": "One mission, or one question, for somebody without a token.",
    "Webhooks": "Events, sent to you.",
    "Operations": "For whoever runs the server.",
    "Pages": "For browsers.",
}

CODED = "Content-Encoding"
GZIP = {"const": "gzip"}
HEADERS = {
    CODED: "Of a kilobyte and more, where `Accept-Encoding` takes it.",
    "Location": "Where it is.",
    "Retry-After": "Seconds; the body's `retry_s` says the same.",
    "WWW-Authenticate": "`Bearer`.",
    "Idempotency-Replayed": "`true`: this was done before.",
    "Content-Disposition": "`attachment`, with the file's name.",
}


SIGN_IN = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Made by `longline token create`. On loopback with no token made, all is open.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "longline_token",
        "description": "What the sign-in page sets.",
    },
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Longline",
            "version": version("longline"),
            "summary": "Missions of AI agents, over plain HTTP.",
            "description": TEXT_OF_ALL,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": linked(_paths()),
        "components": {
            "schemas": schemas(),
            "headers": {
                name: {"description": text, "schema": GZIP if name == CODED else TEXT}
                for name, text in HEADERS.items()
            },
            "securitySchemes": SIGN_IN,
        },
    }


def _paths() -> dict[str, Any]:
    """In the order in which a reader wants them."""
    api = paths.EVENTS | paths.MISSIONS_PATHS | paths.REQUESTS
    return api | further.LINKS | further.OFFERS | further.WEBHOOKS | OPERATIONS | PAGES
