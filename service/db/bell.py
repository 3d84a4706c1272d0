"""The bell: after a commit, tells those who listen that there is news.

A hint and never the truth: readers look at the counters, at the latest at their next tick. So it
may be late, be lost, or be rung once for many commits. On PostgreSQL it is rung outside the writing
transaction, because a NOTIFY makes all commits of the server wait for each other.
"""

import logging
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# The first commit of a quiet moment rings at once, those behind it together this much later.
# Listeners look by themselves for longer than this once they were woken.
QUIET_S = 0.2

# Nothing depends on it, so it need not wait for the disk.
RING = "SELECT set_config('synchronous_commit', 'off', true), pg_notify('longline_events', '')"


logger = logging.getLogger(__name__)


class FileBell:
    """A file beside SQLite's, written to behind each commit: whoever watches it is woken once.

    The -wal file would tell of each of a commit's ten writes, all of them before the commit can be seen.
    """

    def __init__(self, file: Path) -> None:
        self._number: int | None = None
        try:
            self._number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:  # who may only read, say: others look by themselves
            logger.debug("no bell: %s", error)

    def ring(self) -> None:
        if self._number is not None:
            with suppress(OSError):
                os.pwrite(self._number, b".", 0)

    def close(self) -> None:
        number, self._number = self._number, None
        if number is not None:
            os.close(number)


class Ringing(Protocol):
    """What `Database` rings after each of its commits."""

    def ring(self) -> None: ...

    def close(self) -> None: ...


class Bell:
    """Rings from a thread of its own, which starts with the first commit. Holds no connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rung = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def ring(self) -> None:
        """Tell, soon, that something was committed. Returns at once."""
        self._rung.set()
        if self._thread is None:
            self._start()

    def close(self) -> None:
        owed = self._rung.is_set()
        self._closed.set()
        self._rung.set()
        if self._thread is not None:
            self._thread.join()
        if owed:
            self._notify()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._rung.wait()
            if self._closed.is_set():
                return
            self._rung.clear()
            self._notify()
            self._closed.wait(QUIET_S)

    def _notify(self) -> None:
        try:
            with self._engine.connect().execution_options(longline_mode="glance") as conn:
                conn.exec_driver_sql(RING)
        except (DBAPIError, PoolTimeout) as error:
            logger.debug("not rung: %s", type(error).__name__)  # who listens looks by himself
