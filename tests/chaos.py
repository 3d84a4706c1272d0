"""A proxy that does what bad proxies do: cuts answers, puts its own pages in their place, repeats old ones.

    with ChaosProxy(server_url, ["pass", "cut", "page_502"]) as proxy:
        Client(proxy.url)

The faults come in turn, one per request, over and over:

    pass                  does what a proxy should
    cut, cut_at_N         ends the connection in the middle of the body, or after N bytes of it
    cut_without_length    the same in an answer that says no length, so that it looks whole
    drop                  ends the connection without a word
    close                 ends it behind a whole answer that had said it would stay
    delay                 keeps the answer for a while
    replay                asks the server twice, as proxies do for a GET whose answer did not come
    old                   gives the answer to the request before
    page_502, page_200    a page of its own
"""

import http.client
import itertools
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
DELAY_S = 0.3
# Of one connection, or made anew for it.
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server")

Headers = list[tuple[str, str]]


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

    do_HEAD = do_OPTIONS = do_POST = do_GET

    def _pass_on(self) -> None:
        proxy: ChaosProxy = self.server.proxy
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = proxy.next_fault()
        if fault == "drop":
            self.close_connection = True
            return
        if fault in ("page_502", "page_200"):
            self._send(int(fault.removeprefix("page_")), PAGE, [("Content-Type", "text/html")])
            return
        try:
            if fault == "replay" and self.command == "GET":
                self._ask(content)
            status, body, headers = self._ask(content)
        except OSError:
            self._send(502, PAGE, [("Content-Type", "text/html")])
            return
        if fault == "delay":
            time.sleep(DELAY_S)
        self._send(status, proxy.remembered(body) if fault == "old" else body, headers, fault)

    def _ask(self, content: bytes) -> tuple[int, bytes, Headers]:
        to = urlsplit(self.server.proxy.upstream)
        upstream = http.client.HTTPConnection(to.hostname or "", to.port, timeout=40)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        try:
            upstream.request(self.command, self.path, content or None, headers)
            response = upstream.getresponse()
            kept = [(k, v) for k, v in response.getheaders() if k.lower() not in HOP_BY_HOP]
            return response.status, response.read(), kept
        except http.client.HTTPException as error:
            raise OSError from error
        finally:
            upstream.close()

    def _send(self, status: int, body: bytes, headers: Headers, fault: str = "") -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if fault == "cut_without_length":
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault.startswith("cut"):
            at = fault.removeprefix("cut_at_")
            body = body[: int(at) if at.isdigit() else len(body) // 2]
        if fault.startswith("cut") or fault == "close":
            self.close_connection = True
        self.wfile.write(body)
