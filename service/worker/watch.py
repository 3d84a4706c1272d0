"""Ends a run's process when it has to and the crew does not: in threads, for the crew may block.

They are started before there is a mission, which would have to wait for them.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import wait

# From the order to stop until the child ends itself. While events flow the crew is left within
# a tenth of a second; a tool that blocks is not waited for.
STOP_GRACE_S = 2.0


class Watch:
    """stop: set when the run has to end. last: what is still done before the process is ended."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.last: Callable[[], object] = lambda: None

    def start(self) -> None:
        _in_thread(self._end_when_told)
        parent = multiprocessing.parent_process()
        if parent is not None:
            sentinel = parent.sentinel
            # Nobody renews the lease any more, and nobody would see our outcome.
            _in_thread(lambda: wait([sentinel]) and os._exit(1))

    def _end_when_told(self) -> None:
        self.stop.wait()
        threading.Event().wait(STOP_GRACE_S)
        self.last()
        leave(0)


def leave(code: int) -> None:
    """Leave without the interpreter's farewell: threads of libraries may hold it up for long."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _in_thread(target: Callable[[], object]) -> None:
    threading.Thread(target=target, daemon=True).start()
