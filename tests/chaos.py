"""A proxy that does what bad proxies do: cuts answers, puts its own pages in their place, repeats old ones.

    with ChaosProxy(server_url, ["pass", "cut", "page_502"]) as proxy:
        Client(proxy.url)

The faults come in turn, one per request, over and over.
"""

import http.client
import itertools
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class ChaosProxy:
    """A proxy on a port of its own, in front of `upstream`, which may change."""

    def __init__(self, upstream: str, faults: Sequence[str] = ("pass",)) -> None:
        self.upstream = upstream
        self.done: list[str] = []
        self._faults = itertools.cycle(faults)
        self._old: bytes | None = None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.proxy = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def use(self, *faults: str) -> None:
        with self._lock:
            self._faults = itertools.cycle(faults)

    def next_fault(self) -> str:
        with self._lock:
            fault = next(self._faults)
            self.done.append(fault)
            return fault

    def remembered(self, body: bytes) -> bytes:
        """The answer before this one, as a cache that is wrong would give it."""
        with self._lock:
            old, self._old = self._old, body
        return old or body


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        proxy: ChaosProxy = self.server.proxy
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = proxy.next_fault()
        if fault == "drop":
            self.close_connection = True
            return
        if fault in ("page_502", "page_200"):
            self._send(int(fault.removeprefix("page_")), PAGE, "text/html")
            return
        try:
            status, body, kind = self._ask(content)
        except OSError:
            self._send(502, PAGE, "text/html")
            return
        self._send(status, proxy.remembered(body) if fault == "old" else body, kind, cut=fault)

    def _ask(self, content: bytes) -> tuple[int, bytes, str]:
        to = urlsplit(self.server.proxy.upstream)
        upstream = http.client.HTTPConnection(to.hostname or "", to.port, timeout=40)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        try:
            upstream.request(self.command, self.path, content or None, headers)
            response = upstream.getresponse()
            return response.status, response.read(), response.headers["Content-Type"]
        except http.client.HTTPException as error:
            raise OSError from error
        finally:
            upstream.close()

    def _send(self, status: int, body: bytes, kind: str, *, cut: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if cut == "cut_without_length":
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if cut.startswith("cut"):
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)
