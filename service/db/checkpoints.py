"""Moves what was committed from SQLite's -wal file into the database, beside the writers instead of in them.

SQLite does it in whichever commit fills a thousand pages, one in a hundred and fifty of ours: that one
takes 15-30 ms, and everybody behind it waits. From a connection of its own nobody waits.
"""

import logging
import sqlite3
import threading
from contextlib import closing

from sqlalchemy.engine import URL

EVERY_S = 0.2  # it costs two syncs of the disk, so only after commits

logger = logging.getLogger(__name__)


class Checkpointer:
    """A thread that does it a few times a second while something is committed. Nothing depends on it."""

    def __init__(self, url: URL) -> None:
        self._file = str(url.database)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with closing(sqlite3.connect(self._file, isolation_level=None)) as connection:
                self._keep_tidying(connection)
        except sqlite3.Error as error:  # the writers' own checkpoints go on
            logger.warning("no further checkpoints of our own: %s", type(error).__name__)

    def _keep_tidying(self, connection: sqlite3.Connection) -> None:
        seen = -1
        while not self._closed.wait(EVERY_S):
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if version != seen:
                # PASSIVE takes what it can without waiting for anybody, or making them wait.
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            seen = version
