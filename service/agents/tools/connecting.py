"""Connections to checked addresses only, each operation within one deadline. For httpcore."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

Resolve = Callable[[str, int], list[str]]


class NotAllowed(OSError):
    """The name has no address that may be connected to."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Checked(httpcore.NetworkBackend):
    """Resolves, checks, and connects to what was checked.

    deadline: of time.monotonic, for all that goes over these connections.
    """

    def __init__(self, allowed: Callable[[str], bool], resolve: Resolve, deadline: float) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (httpcore's)
        local_address: str | None = None,  # noqa: ARG002 (httpcore's)
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 (httpcore's)
    ) -> httpcore.NetworkStream:
        addresses = within(self._left(), lambda: self._resolve(host, port))
        # All of them: a name that also means an inner address is not one of the open internet.
        if not addresses or not all(self._allowed(address) for address in addresses):
            raise NotAllowed(host)
        stream = self._inner.connect_tcp(addresses[0], port, self._left())
        return _Bounded(stream, self._deadline)

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise NotAllowed

    def _left(self) -> float:
        return left(self._deadline)


class _Bounded(httpcore.NetworkStream):
    """A stream whose every wait ends at the deadline, however slowly bytes drip."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._inner.read(max_bytes, left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._inner.write(buffer, left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 (httpcore's)
    ) -> httpcore.NetworkStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, left(self._deadline))
        return _Bounded(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def left(deadline: float) -> float:
    """Seconds until the deadline. Raises TimeoutError when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def within(seconds: float, look: Callable[[], list[str]]) -> list[str]:
    """What `look` gives. Raises TimeoutError: a resolver takes its own time, and cannot be told."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(look())
        except (OSError, UnicodeError) as error:
            answers.put(OSError(str(error)))

    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer
