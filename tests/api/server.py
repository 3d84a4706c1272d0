"""The web process inside the test's own: the whole application, its feed on gevent, and no socket."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import gevent
from sqlalchemy import update
from werkzeug.test import TestResponse

from models import workspaces
from service.api.services import NAME
from service.api.static import FOR_GOOD, STALE
from service.app import create_app
from service.config import Settings
from service.missions import files
from service.security import tokens
from service.webhooks import queue, registry

WITHIN_S = 60.0  # for what happens at once; long, because the machine may be busy
ANSWER_MAX_BYTES = 1024 * 1024


class Server:
    """One web process on a database of its own. Without a token, all is allowed, as on loopback."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        given = {"database_url": None, "host": "127.0.0.1", "auth": "auto", "model": "local"}
        settings = Settings(data=folder, sqlite_synchronous="NORMAL", **(given | changes))
        self.app = create_app(settings)
        services = self.app.extensions[NAME]
        self.db, self.feed = services.db, services.feed
        self.file = folder / "longline.db"
        self.client = self.app.test_client()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.feed.stop()
        self.db.close()

    def get(self, path: str, query: Any = None, **options: Any) -> TestResponse:
        return self.request("GET", path, query_string=query, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        """body: what is sent as JSON; None for an empty body."""
        return self.request("POST", path, json=body, **options)

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        """One request without cookies, and a look at what every answer has."""
        with self.app.test_client(use_cookies=False) as client:
            response = client.open(path, method=method, buffered=True, **options)
        return whole(response)

    def poll(self, path: str = "/events", **query: Any) -> dict[str, Any]:
        """The answer of a feed."""
        response = self.get(path, query)
        assert response.status_code == 200, response.text
        return response.get_json()

    def hold(self, ask: Callable[..., Any], *arguments: Any, **named: Any) -> gevent.Greenlet:
        """A request that is held; `result` waits for what it got."""
        before = self.feed.held
        asking = gevent.spawn(ask, *arguments, **named)
        until(lambda: self.feed.held > before or asking.ready(), what="held request")
        assert not asking.ready(), f"it was not held: {asking.get()}"
        return asking

    def hold_poll(self, path: str = "/events", **query: Any) -> gevent.Greenlet:
        return self.hold(self.poll, path, **{"wait": 20, **query})

    def token(
        self, *scopes: str, workspace: str = "default", expires_ms: int | None = None
    ) -> dict[str, str]:
        """The headers that a new token comes with. It carries the name Ann."""
        with self.db.transaction() as conn:
            workspace_id = tokens.workspace_named(conn, workspace)
            made = tokens.create(conn, workspace_id, scopes, name="Ann", expires_ms=expires_ms)
        return {"Authorization": f"Bearer {made}"}

    def store_file(self, mission_id: int, name: str, content: bytes) -> None:
        """A file that the mission has made, in its task `draft`."""
        with self.db.transaction() as conn:
            files.store_output(conn, mission_id, name, content, task="draft")

    def store_delivery(self, mission_id: int) -> None:
        """A webhook of the mission, with deliveries that nobody has sent."""
        with self.db.transaction() as conn:
            workspace_id = tokens.workspace_named(conn, "default")
            made = registry.create(
                conn, workspace_id, "https://example.org/hook", ["STATUS"], mission_id=mission_id
            )
            queue.plan(conn, made["id"])

    def forget(self, *, oldest: int) -> None:
        """As retention will: the events of `default` before `oldest` are no longer stored."""
        with self.db.transaction() as conn:
            default = workspaces.c.name == "default"
            conn.execute(update(workspaces).where(default).values(oldest=oldest))


class Endless(io.RawIOBase):
    """A body that never ends, and how much of it was read."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "the whole of a body without an end"
        self.taken += size
        return b" " * size


def whole(response: TestResponse) -> TestResponse:
    """The answer, which has what the contract says of every answer. Asserts, to say what is not."""
    if response.status_code == 304:  # a page that the browser has; it has no body
        return response
    assert response.headers["Content-Length"] == str(len(response.data))
    assert len(response.data) < ANSWER_MAX_BYTES
    is_file = "ETag" in response.headers
    assert response.headers["Cache-Control"] in ((STALE, FOR_GOOD) if is_file else ("no-store",))
    return response


def result(request: gevent.Greenlet) -> Any:
    """What a held request got in the end."""
    return request.get(timeout=WITHIN_S)


def until(look: Callable[[], Any], *, what: str) -> Any:
    """What `look` returns as soon as it is true; others run meanwhile."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := look()):
        assert time.monotonic() < deadline, f"no {what} in time"
        gevent.sleep(0.001)
    return found


def problem(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The body of an error, which has what every error has. Asserts, to say what is not."""
    body = response.get_json()
    assert (response.status_code, body.get("code")) == (status, code), response.text
    assert response.content_type == "application/problem+json"
    assert body["status"] == status
    assert all(isinstance(body[name], str) and body[name] for name in ("type", "title", "detail"))
    return body


def pointers(body: dict[str, Any]) -> list[str]:
    """The places that an error names, each once."""
    return list(dict.fromkeys(error["pointer"] for error in body["errors"]))


def parameters(body: dict[str, Any]) -> list[str]:
    return [error["parameter"] for error in body["errors"]]
