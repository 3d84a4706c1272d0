"""Every route that needs a token, with a request that it takes: tests walk over all of them."""

from typing import Any, NamedTuple

from tests.contract.given import SPEC


class Route(NamedTuple):
    """path: 1 stands for an id. scope: what a token has to have."""

    method: str
    path: str
    scope: str
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ROUTES = [
    Route("GET", "/events", "read"),
    Route("GET", "/missions/1/events", "read"),
    Route("POST", "/missions", "run", SPEC),
    Route("GET", "/projects", "read"),
    Route("GET", "/me", "read"),
    Route("GET", "/offers", "read"),
    Route("GET", "/missions", "read"),
    Route("GET", "/missions/1", "read"),
    Route("POST", "/missions/1/cancel", "run"),
    Route("POST", "/missions/1/retry", "run"),
    Route("GET", "/missions/1/files", "read"),
    Route("GET", "/files/1", "read"),
    Route("GET", "/requests", "read"),
    Route("GET", "/requests/1", "read"),
    Route("POST", "/requests/1", "answer", {"answer": "yes"}),
    Route("POST", "/missions/1/links", "run", {}),
    Route("POST", "/requests/1/links", "answer", {}),
    Route("GET", "/doctor", "read"),
    Route("POST", "/webhooks", "admin", {"url": "https://example.org/hook"}),
    Route("GET", "/webhooks", "admin"),
    Route("DELETE", "/webhooks/1", "admin"),
    Route("GET", "/webhooks/1/deliveries", "admin"),
    Route("POST", "/deliveries/1/redeliver", "admin"),
    Route("GET", "/metrics", "admin"),
]
# Those that name something, which may be another workspace's.
NAMING = [route for route in ROUTES if "1" in route.path] + [
    Route("GET", "/events?mission=1", "read"),
    Route("GET", "/requests?mission=1", "read"),
]
