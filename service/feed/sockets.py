"""The sockets of connections that have no greenlet: one epoll for all of them, watched by the loop.

A watcher of the loop's own for each would cost half a kilobyte, and for each request a way through the
loop's machinery that costs as much as reading it. epoll is Linux's; elsewhere every request has a greenlet.
"""

import select
from typing import Any, Protocol

from gevent import get_hub, monkey

READ, WRITE, NOTHING = 0x1, 0x4, 0x0  # EPOLLIN, EPOLLOUT; a hang-up is always told
AT_ONCE = 256  # then everybody else is served before the next ones
LOOP_READ = 1

available = hasattr(select, "epoll") or bool(monkey.saved.get("select", {}).get("epoll"))


class Owner(Protocol):
    def ready(self, events: int) -> None:
        """Called in the hub when its socket is: it may not wait for anything."""


class Sockets:
    """Calls the owner of each socket that has become ready, as long as it is."""

    def __init__(self) -> None:
        self._owners: dict[int, Owner] = {}
        if not available:
            return
        # What gevent takes out of the module, since it blocks; here it never does.
        self._epoll: Any = monkey.get_original("select", "epoll")()
        self._watcher = get_hub().loop.io(self._epoll.fileno(), LOOP_READ, ref=False)
        self._watcher.start(self._look)

    def add(self, number: int, owner: Owner, events: int) -> None:
        self._owners[number] = owner
        self._epoll.register(number, events)

    def change(self, number: int, events: int) -> None:
        """Wait for other events from here on."""
        self._epoll.modify(number, events)

    def remove(self, number: int) -> None:
        """Before the socket is closed, or given to somebody else."""
        if self._owners.pop(number, None) is not None:
            self._epoll.unregister(number)

    def owners(self) -> list[Any]:
        return list(self._owners.values())

    def __len__(self) -> int:
        return len(self._owners)

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
        self._epoll.close()

    def _look(self) -> None:
        owners = self._owners
        for number, events in self._epoll.poll(0, AT_ONCE):
            owner = owners.get(number)
            if owner is not None:  # one before it may have closed it
                owner.ready(events)
