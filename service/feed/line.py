"""A connection while a greenlet serves it: a socket that knows what it has read of a request."""

import contextlib
from typing import Any

from gevent import socket

TAPE_MAX_BYTES = 16 * 1024  # a request that could be repeated is shorter
# A request with one of these has more to it than its head.
BODY_HEADERS = frozenset({"CONTENT-LENGTH", "TRANSFER-ENCODING", "EXPECT", "UPGRADE"})


class Line(socket.socket):  # type: ignore[misc]  # gevent has no types
    """What gunicorn reads from and writes to.

    ahead: bytes that were read already and come first. deadline: when a poll that has been held for
    a while has to be answered; None for a fresh one. edge: which may take it. listener: where it came in.
    held: the place that a view has taken for it. response: gunicorn's, of the request that is served.
    """

    def __init__(
        self,
        number: int,
        edge: Any,
        listener: Any,
        *,
        ahead: bytes = b"",
        deadline: float | None = None,
    ) -> None:
        super().__init__(fileno=number)
        self.edge = edge
        self.listener = listener
        self.deadline = deadline
        self.held: Any = None
        self.response: Any = None
        self.request = b""
        self._ahead = ahead
        self._tape = bytearray()
        self._serves = False

    def close_if_idle(self) -> None:
        """End a connection on which no request has begun: its greenlet reads that there is no more."""
        if not self._serves and not self._tape and not self._ahead:
            with contextlib.suppress(OSError):  # the client was faster
                self.shutdown(socket.SHUT_RD)

    def look_ahead(self) -> bytes:
        """What comes first, which `recv` gives again. Waits until there is something."""
        self._ahead = super().recv(TAPE_MAX_BYTES)
        return self._ahead

    def recv(self, size: int, *flags: int) -> bytes:
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            piece = super().recv(size, *flags)
        if len(self._tape) <= TAPE_MAX_BYTES:
            self._tape += piece
        return piece

    def begin(self, parsed: Any) -> None:
        """A request was read: parsed is gunicorn's. `request` is then its bytes, empty where unknown."""
        left = parsed.unreader.buf.getvalue()
        read = bytes(self._tape[: len(self._tape) - len(left)])
        self._tape = bytearray(left)
        major, minor = parsed.version
        first = f"{parsed.method} {parsed.uri} HTTP/{major}.{minor}\r\n".encode("latin-1")
        alone = read.startswith(first) and read.find(b"\r\n\r\n") == len(read) - 4
        plain = BODY_HEADERS.isdisjoint(name for name, _ in parsed.headers)
        self.request = read if alone and plain and parsed.method == "GET" else b""
        self.held = self.response = None
        self._serves = True

    def end(self) -> None:
        """The request was served, or will be without us."""
        self._serves = False

    def leave(self, parsed: Any) -> tuple[int, bytes]:
        """Give up the connection: its number, and what was read beyond the request."""
        left = parsed.unreader.take_buffered() + self._ahead
        return self.detach(), left
