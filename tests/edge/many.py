"""Very many held polls of one thread: who is answered asks again, until all are held at one moment."""

import selectors
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Self

from tests.edge.wire import Wire

AT_ONCE = 50  # so many begin before who was answered is looked after
LOOK_S = 0.2
HELD_WITHIN_S = 240.0  # each first poll is parsed, and the machine may be busy


class Many:
    """So many connections, each of which holds the same poll."""

    def __init__(self, port: int, path: str, count: int, **headers: str) -> None:
        self._path = path
        self._count = count
        self._open = partial(Wire, port, **headers)
        self._selector = selectors.DefaultSelector()
        self._wires: list[Wire] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for wire in self._wires:
            wire.socket.close()

    def hold(self, held: Callable[[], int]) -> None:
        """Returns when the server says that it holds them all."""
        deadline = time.monotonic() + HELD_WITHIN_S
        while len(self._wires) < self._count or held() < self._count:
            assert time.monotonic() < deadline, f"{held()} of {self._count} are held"
            self._begin_some()
            for key, _ in self._selector.select(LOOK_S if len(self._wires) == self._count else 0):
                key.data.answer()
                key.data.send(self._path)

    def _begin_some(self) -> None:
        for _ in range(min(AT_ONCE, self._count - len(self._wires))):
            wire = self._open()
            self._wires.append(wire)
            self._selector.register(wire.socket, selectors.EVENT_READ, wire)
            wire.send(self._path)

    def reasons(self) -> Counter[str]:
        """Why each was answered. Waits for all of them."""
        return Counter(wire.answer().json["reason"] for wire in self._wires)
