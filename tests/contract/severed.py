"""A way to a PostgreSQL server on which the answer to a COMMIT is lost, because the connection ends there."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from sqlalchemy.engine import make_url

COMMIT = b"COMMIT\0"  # as a client sends it
WRITES = b"longline_append"
CHUNK = 65536


class Severing:
    """A proxy that loses the answer to the next COMMIT each time that `lose` is called.

    Of a transaction that has written: the bell's has not, and comes when it likes.
    """

    def __init__(self, url: str) -> None:
        to = make_url(url)
        self.server = (to.host or "127.0.0.1", to.port or 5432)
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.url = to.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        self.armed = False
        self.first: Callable[[], object] | None = None

    def __enter__(self) -> Self:
        in_thread(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def lose(self, *, first: Callable[[], object] | None = None) -> None:
        """The server commits, and then the connection ends.

        first: the connection ends before, and the COMMIT reaches the server when this has returned.
        """
        self.first, self.armed = first, True

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                Line(self, self._listening.accept()[0])


class Line:
    """One connection and what is passed on in it, in two threads."""

    def __init__(self, through: Severing, client: socket.socket) -> None:
        self._through, self._client = through, client
        self._server = socket.create_connection(through.server)
        self._cut = self._wrote = False
        self._answered = threading.Event()
        in_thread(self._ask)
        in_thread(self._answer)

    def _ask(self) -> None:
        with suppress(OSError), self._server:
            while asked := self._client.recv(CHUNK):
                self._wrote = self._wrote or WRITES in asked
                if self._through.armed and self._wrote and COMMIT in asked:
                    self._through.armed, self._cut = False, True
                    self._lose(asked)
                    return
                self._wrote = self._wrote and COMMIT not in asked
                self._server.sendall(asked)

    def _lose(self, asked: bytes) -> None:
        if self._through.first is not None:
            self._client.shutdown(socket.SHUT_RDWR)
            self._through.first()
        self._server.sendall(asked)
        self._answered.wait()

    def _answer(self) -> None:
        with suppress(OSError), self._client:
            while told := self._server.recv(CHUNK):
                if self._cut:
                    break
                self._client.sendall(told)
        self._answered.set()


def in_thread(target: Callable[[], None]) -> None:
    threading.Thread(target=target, daemon=True).start()
