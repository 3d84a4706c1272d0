"""A proxy that has no patience: a request that is not answered after some seconds gets its own page."""

import socket
import threading
from contextlib import suppress
from typing import Self

CUT = (
    b"HTTP/1.1 504 Gateway Time-out\r\nContent-Type: text/html\r\n"
    b"Content-Length: 21\r\nConnection: close\r\n\r\n<h1>It took long</h1>"
)


class CuttingProxy:
    """Serves in threads while the `with` block lasts."""

    def __init__(self, port: int, *, after_s: float) -> None:
        self._target = ("127.0.0.1", port)
        self._after_s = after_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One connection: what comes back is passed on while it comes in time."""
        with suppress(OSError), client, socket.create_connection(self._target) as server:
            asked = threading.Event()
            threading.Thread(target=_pump, args=(client, server, asked), daemon=True).start()
            server.settimeout(self._after_s)
            while True:
                try:
                    data = server.recv(65536)
                except TimeoutError:
                    if not asked.is_set():
                        continue  # nobody waits for anything
                    self.cuts += 1
                    data = CUT
                asked.clear()  # before the answer goes on: the next request may follow at once
                client.sendall(data)
                if data in (b"", CUT):
                    return


def _pump(source: socket.socket, sink: socket.socket, asked: threading.Event) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            asked.set()
            sink.sendall(data)
