"""A client that sees each byte: HTTP over a socket, and the log that it follows."""

import contextlib
import json
import socket
import time
from typing import Any, NamedTuple, Self

WITHIN_S = 60.0  # the machine may be busy


class Got(NamedTuple):
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def comparable(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """Without what is never the same twice, for whose form is asked here."""
        headers = dict(self.headers)
        assert headers.pop("date").endswith(" GMT")
        assert len(headers.pop("x-request-id", "0" * 16)) == 16
        return self.status, sorted(headers.items()), self.body


class Wire:
    """One connection. Reads as much as an answer has, and keeps the rest for the next."""

    def __init__(self, port: int, **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
        self.headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.version = "1.1"
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def request(self, path: str) -> bytes:
        return f"GET {path} HTTP/{self.version}\r\nHost: localhost\r\n{self.headers}\r\n".encode()

    def send(self, *paths: str) -> None:
        self.socket.sendall(b"".join(self.request(path) for path in paths))

    def get(self, path: str) -> Got:
        self.send(path)
        return self.answer()

    def answer(self) -> Got:
        head = self._until(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        return Got(int(status.split()[1]), headers, self._take(int(headers["content-length"])))

    def is_silent(self, seconds: float = 0.1) -> bool:
        """Whether nothing comes for a moment."""
        self.socket.settimeout(seconds)
        try:
            with contextlib.suppress(TimeoutError):
                return self.socket.recv(1, socket.MSG_PEEK) is None
            return True
        finally:
            self.socket.settimeout(WITHIN_S)

    def ends(self) -> bool:
        """Whether the server closes the connection and has nothing more to say."""
        with contextlib.suppress(ConnectionResetError):
            return self._read == b"" and self.socket.recv(1) == b""
        return True

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._more()
        found, _, self._read = self._read.partition(mark)
        return found

    def _take(self, count: int) -> bytes:
        while len(self._read) < count:
            self._more()
        found, self._read = self._read[:count], self._read[count:]
        return found

    def _more(self) -> None:
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise ConnectionError(f"closed behind {self._read!r}")
        self._read += piece


def seconds(begin: float) -> float:
    return time.monotonic() - begin
