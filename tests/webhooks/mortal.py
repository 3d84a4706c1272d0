"""A sender that kills itself with -9 at its nth step, wherever that is; in a process of its own.

A step is whatever another process could see the difference of: a statement, a commit, the connection's
return behind it, a try's beginning and its end. They are counted from the first planning on.
"""

import itertools
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from service.config import Settings
from service.webhooks import queue, sender
from service.webhooks.sender import Sender


def send(_pipe: Connection, settings: Settings, die_at: int) -> None:
    """Send until killed: by itself at step die_at, or by who started it."""
    steps = Steps(die_at)
    event.listen(Engine, "before_cursor_execute", steps.take)
    event.listen(Engine, "commit", steps.take)
    event.listen(Pool, "checkin", steps.take)
    queue.plan = steps.begin(queue.plan)
    sender.send = steps.around(sender.send)
    Sender(settings).run()


class Steps:
    """Counts, over all threads."""

    def __init__(self, die_at: int) -> None:
        self._die_at = die_at
        self._count = itertools.count()
        self._begun = threading.Event()

    def take(self, *_: Any) -> None:
        if self._begun.is_set() and next(self._count) == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def begin(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def begun(*given: Any, **named: Any) -> Any:
            self._begun.set()
            return function(*given, **named)

        return begun

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*given: Any, **named: Any) -> Any:
            self.take()
            found = function(*given, **named)
            self.take()
            return found

        return watched
