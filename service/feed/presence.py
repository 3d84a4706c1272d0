"""Whether a client is still there while its poll is held: a closed socket frees its place at once."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gevent import get_hub

READ = 1


@contextmanager
def watched(sock: Any, on_gone: Callable[[], None]) -> Iterator[None]:
    """Call on_gone once when the peer closes its socket. sock: None where the server has none."""
    if sock is None:
        yield
        return
    watcher = get_hub().loop.io(sock.fileno(), READ)

    def look() -> None:
        try:
            waiting = sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            waiting = b""
        watcher.stop()  # also when a further request lies there: it would wake us for ever
        if not waiting:
            on_gone()

    watcher.start(look)
    try:
        yield
    finally:
        watcher.stop()
        watcher.close()
