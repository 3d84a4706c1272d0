"""gunicorn's gevent worker, which lets held polls leave their greenlets: see `feed.edge`.

Requests are read, parsed and answered as in any gevent worker. Only a connection whose poll waits, or
was just answered, goes to the edge, and comes back with what it sends next. And it ends at once when it
is told to, where gunicorn's own sleeps for a second before each step.
"""

import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Group, Pool
from gevent.server import StreamServer
from gunicorn.sock import ssl_context
from gunicorn.workers.ggevent import GeventWorker

from service.api.services import NAME
from service.feed import sockets
from service.feed.edge import Edge, Held
from service.feed.line import Line

LAST_BYTES_S = (
    5.0  # for clients that have not taken the whole of their answer when all else is done
)
LOOK_S = 0.05
ACCEPT_AT_ONCE = 8  # as many as are served till the next are looked for
NOTIFY_S = (
    1.0  # how often the master is told that this process is well, and idle clients are looked for
)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """A gevent worker with an edge."""

    def init_signals(self) -> None:
        self._told = Event()
        super().init_signals()

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        self._told.set()

    def run(self) -> None:
        self._feed = self.app.callable.extensions[NAME].feed
        self._returned = Group()
        self.edge = Edge(self._feed, self._serve_again, self._feed.witness)
        self.wsgi: Any = partial(_call, self.app.callable)
        servers = [self._server(listener) for listener in self.sockets]
        while self.alive:
            self.notify()
            self._feed.witness.holding(self._feed.held)
            self.edge.close_idle()
            self._told.wait(NOTIFY_S)
        self._end(servers)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        # Over TLS bytes are not what they look like; and gunicorn's access log wants each request.
        may_leave = sockets.available and not self.cfg.accesslog
        comes = may_leave and not isinstance(client, ssl.SSLSocket | Line)
        if comes:
            client = Line(client.detach(), self.edge, listener)
        if isinstance(client, Line):
            self.edge.lines.add(client)
        try:
            if not comes or not self._is_known(client):
                super().handle(listener, client, addr)
        finally:
            self.edge.lines.discard(client)

    def _is_known(self, line: Line) -> bool:
        """Whether a new connection needs no greenlet: the edge has taken it, or it says nothing."""
        request = b""
        with self.timeout_ctx(), suppress(OSError):
            request = line.look_ahead()
        if not request:
            line.close()
            return True
        return self.edge.take_known(line, request)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        if not isinstance(sock, Line):
            super().handle_request(listener_name, req, sock, addr)
            return
        sock.begin(req)
        try:
            super().handle_request(listener_name, req, sock, addr)
        except BaseException:
            _free(sock)
            raise
        finally:
            sock.end()
        if sock.held is not None and sock.response.status_code == 200:
            self.edge.take(sock, req)
            raise StopIteration  # so ends gunicorn's loop; the socket it closes has no number any more
        _free(sock)

    def is_already_handled(self, respiter: Any) -> bool:
        return isinstance(respiter, Held) or bool(super().is_already_handled(respiter))

    def _serve_again(self, line: Line) -> None:
        self._returned.start(gevent.Greenlet(self._handle_again, line))

    def _handle_again(self, line: Line) -> None:
        try:
            address = line.getpeername()
        except OSError:  # the client has gone
            line.close()
        else:
            self.handle(line.listener, line, address)

    def _server(self, listener: Any) -> StreamServer:
        listener.setblocking(1)
        server = StreamServer(
            listener,
            handle=partial(self.handle, listener),
            spawn=Pool(self.worker_connections),
            **({"ssl_context": ssl_context(self.cfg)} if self.cfg.is_ssl else {}),
        )
        # The others are to have their share; and of ten thousand that come at once not all should have
        # a greenlet at once, whose memory stays: the rest waits in the backlog.
        server.max_accept = 1 if self.cfg.workers > 1 else ACCEPT_AT_ONCE
        server.start()
        return server

    def _end(self, servers: list[StreamServer]) -> None:
        """Let nobody in, answer who is there, and wait for those that take longer, as long as we may."""
        for server in servers:
            server.close()
        self._feed.drain()
        self.edge.drain()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        for greenlets in (*(server.pool for server in servers), self._returned):
            self._wait_for(greenlets, deadline)
        self._flush()

    def _wait_for(self, greenlets: Group, deadline: float) -> None:
        while not greenlets.join(timeout=NOTIFY_S):
            self.notify()
            if time.monotonic() > deadline:
                self.log.warning("%d requests are cut off: they took too long", len(greenlets))
                greenlets.kill(timeout=NOTIFY_S)
                return

    def _flush(self) -> None:
        """Give those who read slowly the rest of what they were sent."""
        deadline = time.monotonic() + LAST_BYTES_S
        while self.edge.unsent and time.monotonic() < deadline:
            gevent.sleep(LOOK_S)


def _call(
    application: Application, environ: dict[str, Any], start_response: Any
) -> Iterable[bytes]:
    line = environ["gunicorn.socket"]
    body = application(environ, start_response)
    if isinstance(line, Line):
        line.response = start_response.__self__
    return body


def _free(line: Line) -> None:
    """The request came to nothing that could be held."""
    if line.held is not None:
        line.held.abandon()
        line.held = None
