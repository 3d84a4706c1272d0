"""Hints that something was committed. Cheap to ask; may cry wolf; late at worst, never silent."""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from service.db import inotify, postgres, sqlite
from service.db.bell import FileBell

# SQLite where nothing tells of a write: how late a commit is seen, at some 2 % of a processor.
SQLITE_LOOK_S = 0.002
# Where the kernel does tell: how late the commit of one is seen who died before he could ring, or who
# is none of ours.
SQLITE_SAFETY_S = 0.5

# While the channel is proven to work, how often it is looked without being told to.
SAFETY_S = 0.5
# While it is not (a pooler, a restart, a failover): how late a commit is seen then.
DEAF_S = 0.02
# After news, looking goes on without being told to: longer than the bell is quiet.
BUSY_S = 0.3
BUSY_LOOK_S = 0.002
# A look may take this part of the time, so that many who look do not wear a slow server out.
LOOK_SHARE = 0.4
# How often the channel is tried. A connection may be alive and nothing come through it.
PROVE_EVERY_S = 10.0
ECHO_WITHIN_S = 1.0
ECHO = "echo"
SLICE_S = 0.25  # of listening, between two looks whether to stop
RETRY_S = 0.5

logger = logging.getLogger(__name__)


class ChangeHint(Protocol):
    """Whether the database may have changed since the last look."""

    def changed(self, *, asked: bool = False) -> bool:
        """asked: somebody has come who may have missed something, so the answer is yes, soon."""
        ...

    def looked(self, took_s: float, *, found: bool) -> None:
        """What a look that `changed` led to has cost, and whether there was something."""

    def fileno(self) -> int | None:
        """What becomes readable when there is something to be `told`; None where nothing does."""

    def told(self) -> None:
        """Take what came through `fileno`. May be called from a signal's or a loop's own code."""

    def pause_s(self) -> float:
        """How long one may sleep before `changed` is asked again, unless something is told."""

    def close(self) -> None: ...


class SqliteChangeHint:
    """Sees other connections' commits, of any process, for about 3 µs a look.

    Its connection stays open, so that the -wal file does not go away between transactions. Linux
    tells when the bell beside the database is rung, which is right behind each commit.
    """

    def __init__(self, url: URL) -> None:
        self._bell = sqlite.bell_file(url)
        self._connection = sqlite3.connect(
            str(url.database), isolation_level=None, check_same_thread=False
        )
        self._seen = -1
        self._eye: int | None = None
        self._told = False

    def changed(self, *, asked: bool = False) -> bool:
        if self._told or asked:
            self._told = False  # what is known need not be asked: it costs as much as a small read
            return True
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        changed = bool(version != self._seen)
        self._seen = version
        return changed

    def fileno(self) -> int | None:
        if self._eye is None:
            self._eye = inotify.watch(self._bell)
        return self._eye

    def told(self) -> None:
        if self._eye is None:
            return
        self._told = True
        if not inotify.take(self._eye):
            self._watch_again(self._eye)

    def _watch_again(self, eye: int) -> None:
        """The bell was deleted. Under the same number, which somebody waits for."""
        FileBell(self._bell).close()
        fresh = inotify.watch(self._bell)
        if fresh is not None:
            os.dup2(fresh, eye, inheritable=False)
            os.close(fresh)

    def pause_s(self) -> float:
        return SQLITE_LOOK_S if self._eye is None else SQLITE_SAFETY_S

    def looked(self, took_s: float, *, found: bool) -> None:
        """The next commit shows by itself."""

    def close(self) -> None:
        self._connection.close()
        if self._eye is not None:
            os.close(self._eye)
            self._eye = None


class PostgresChangeHint:
    """Listens on a channel, in a thread of its own (a greenlet, where threads are greenlets)."""

    def __init__(self, url: URL, channel: str, wake: Callable[[], None]) -> None:
        self._ear = Ear(url, channel, lambda _payload: wake())
        self._look_at = 0.0
        self._looked_at = 0.0
        self._busy_until = 0.0
        self._gap_s = BUSY_LOOK_S

    def changed(self, *, asked: bool = False) -> bool:
        now = time.monotonic()
        if asked or self._ear.told():
            self._look_at = min(self._look_at, self._looked_at + self._gap_s)
        if now < self._look_at:
            return False
        self._looked_at = now
        self._look_at = now + self._pause(now)
        return True

    def looked(self, took_s: float, *, found: bool) -> None:
        now = time.monotonic()
        self._gap_s = max(BUSY_LOOK_S, took_s / LOOK_SHARE)
        if found:
            self._busy_until = now + BUSY_S
            self._look_at = now + self._pause(now)

    def fileno(self) -> int | None:
        return None  # `wake` is called instead

    def told(self) -> None:
        """Never: see `fileno`."""

    def pause_s(self) -> float:
        return max(0.0, self._look_at - time.monotonic())

    def close(self) -> None:
        self._ear.close()

    def _pause(self, now: float) -> float:
        if now < self._busy_until:
            return self._gap_s
        return SAFETY_S if self._ear.hears else max(DEAF_S, self._gap_s)


class Ear:
    """One connection that listens, taken up again whenever it is lost. hears: an echo of ours has come back."""

    def __init__(
        self, url: URL, channel: str, heard: Callable[[str], None], *, also: str | None = None
    ) -> None:
        """heard: called in another thread with what was said. also: a channel of somebody else's, for no echo."""
        # An engine for its driver and its dialect alone: psycopg must not be imported before
        # gunicorn has made the process a gevent one.
        self._engine = create_engine(
            url, poolclass=NullPool, connect_args=postgres.connect_arguments()
        )
        self._channel = channel
        self._also = also
        self._heard = heard
        self._told = threading.Event()
        self._closed = threading.Event()
        self.hears = False
        self._thread = threading.Thread(target=self._run, name=f"ear-{channel}", daemon=True)
        self._thread.start()

    def told(self) -> bool:
        """Whether something was said since the last call."""
        if not self._told.is_set():
            return False
        self._told.clear()
        return True

    def close(self) -> None:
        self._closed.set()
        self._thread.join(SLICE_S * 4)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 (a thread's edge: it must outlive any outage)
                self._note_deaf(error)
            self._closed.wait(RETRY_S)

    def _note_deaf(self, error: Exception) -> None:
        if self.hears and not self._closed.is_set():
            logger.warning("not listening on %s: %s", self._channel, type(error).__name__)
        self.hears = False
        self._told.set()

    def _listen(self) -> None:
        with self._engine.connect() as conn:
            driver: Any = conn.connection.driver_connection
            for channel in filter(None, (self._channel, self._also)):
                driver.execute(f'LISTEN "{channel}"')
            while not self._closed.is_set():
                self._prove(driver)
                self._hear(driver, PROVE_EVERY_S)

    def _prove(self, driver: Any) -> None:
        """Say something to ourselves: what comes back shows that others would be heard."""
        driver.execute("SELECT pg_notify(%s, %s)", [self._channel, ECHO])
        if not self._hear(driver, ECHO_WITHIN_S, until=ECHO) and not self._closed.is_set():
            self._note_deaf(TimeoutError())

    def _hear(self, driver: Any, seconds: float, *, until: str | None = None) -> bool:
        """Take what comes for a while. Whether `until` came, which ends it."""
        deadline = time.monotonic() + seconds
        while not self._closed.is_set() and time.monotonic() < deadline:
            for note in driver.notifies(timeout=SLICE_S):
                self._take(note.payload)
                if note.payload == until:
                    return True
        return False

    def _take(self, payload: str) -> None:
        if payload == ECHO:
            self.hears = True
        else:
            self._told.set()
            self._heard(payload)
