"""Pages of other sites: none may read our answers, but those of the origins that the operator names.

Never with credentials: such a page needs a token of its own, and our cookie stays with our page.
"""

from flask import Response, request

from service.api.services import services

METHODS = "GET, POST, PATCH, DELETE"
# What a client needs is in the body; these mirror it.
EXPOSED = "Location, Retry-After, Idempotency-Replayed, Content-Disposition"
TAKEN = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
PREFLIGHT_S = 600


def preflight() -> Response | None:
    """The answer to a browser that asks beforehand; None for every other request."""
    if not _is_allowed() or request.method != "OPTIONS":
        return None
    if "Access-Control-Request-Method" not in request.headers:
        return None
    return Response(
        b"",
        200,
        headers={
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": TAKEN,
            "Access-Control-Max-Age": str(PREFLIGHT_S),
        },
    )


def open_to_allowed(response: Response) -> Response:
    """Tell the browser that an allowed page may read this answer."""
    if services().settings.origins:
        response.headers.add("Vary", "Origin")
    if _is_allowed():
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
    return response


def _is_allowed() -> bool:
    return request.headers.get("Origin") in services().settings.origins
