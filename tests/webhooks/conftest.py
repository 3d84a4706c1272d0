"""The same web process and writer as the client's tests have, and a server that webhooks lead to."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.client.conftest import _web, web, writer

__all__ = ["_web", "web", "writer"]


class Receiver:
    """Takes deliveries as a user's server would. answer: the status for the nth of all that come."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.answer: Callable[[int], int] = lambda _count: 204
        self.arrived: Callable[[int], None] = lambda _count: None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.receiver = self  # type: ignore[attr-defined]
        self.host = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, headers: Any, body: bytes) -> int:
        with self._lock:
            self.got.append(
                {"headers": dict(headers), "body": body, "event": json.loads(body)["data"]}
            )
            count = len(self.got)
        self.arrived(count)
        return self.answer(count)

    def seqs(self) -> set[int]:
        return {one["event"]["seq"] for one in list(self.got)}


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.receiver.take(self.headers, body))
        self.end_headers()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


def is_signed(one: dict[str, Any], secret: str) -> bool:
    """What the specification of Standard Webhooks tells a receiver to compute."""
    headers = {name.lower(): value for name, value in one["headers"].items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + one["body"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{made}"
