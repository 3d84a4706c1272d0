"""The database: engine, transactions, and a cheap hint that something changed. Knows no table."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.config import Settings

BUSY_DEADLINE_S = 10.0  # writers that saturate one file make others wait up to 2 s
BUSY_SLEEP_S = 0.002  # a write transaction of ours holds the lock for about this long

# What a caller may retry later: the database is not there, or every connection is taken.
UNAVAILABLE = (OperationalError, PoolTimeout)


class Database:
    """One process's way to the database. Not to be carried across a fork."""

    def __init__(self, settings: Settings, *, pool_size: int = 5) -> None:
        self.url = _driver_url(settings.resolved_database_url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _make_folder(self.url)
        self.engine = create_engine(
            self.url, pool_size=pool_size, max_overflow=0, pool_timeout=BUSY_DEADLINE_S
        )
        if self.is_sqlite:
            _prepare_sqlite(self.engine, settings.sqlite_synchronous)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back when the block raises."""
        with self.engine.begin() as conn:
            yield conn

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view for several reads. Takes no write lock; writes in it fail."""
        with self.engine.connect().execution_options(longline_reading=True) as conn, conn.begin():
            yield conn

    def change_hint(self) -> "ChangeHint":
        return SqliteChangeHint(self.url) if self.is_sqlite else ChangeHint()

    def close(self) -> None:
        self.engine.dispose()


class ChangeHint:
    """Whether the database may have changed since the last look. This one cannot tell: yes."""

    def changed(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is held."""


class SqliteChangeHint(ChangeHint):
    """Sees other connections' commits, of any process, for about 3 µs a look.

    Its connection stays open, so that the -wal file does not go away between transactions.
    """

    def __init__(self, url: URL) -> None:
        self._connection = sqlite3.connect(
            str(url.database), isolation_level=None, check_same_thread=False
        )
        self._seen = -1

    def changed(self) -> bool:
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        changed = version != self._seen
        self._seen = version
        return bool(changed)

    def close(self) -> None:
        self._connection.close()


def _driver_url(text: str) -> URL:
    """The URL with the driver we ship. Platforms hand out `postgres://`, which SQLAlchemy refuses."""
    url = make_url(text)
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _make_folder(url: URL) -> None:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _prepare_sqlite(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where it guesses
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_DEADLINE_S * 1000)}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        reading = bool(conn.get_execution_options().get("longline_reading"))
        _driver(conn).execute(f"PRAGMA query_only = {int(reading)}")
        if reading:
            conn.exec_driver_sql("BEGIN")
        else:
            _begin_immediate(conn)


def _begin_immediate(conn: Connection) -> None:
    """Take the write lock, waiting in Python rather than in C.

    IMMEDIATE because a transaction that reads first and then writes fails at once when somebody
    else wrote in between, whatever the busy timeout. In Python because a wait inside sqlite3
    holds up every greenlet of a gevent process.
    """
    driver = _driver(conn)
    deadline = time.monotonic() + BUSY_DEADLINE_S
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while not _got_write_lock(conn, deadline):
            time.sleep(BUSY_SLEEP_S * random.uniform(0.5, 1.5))  # noqa: S311 (spreads writers)
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(BUSY_DEADLINE_S * 1000)}")


def _driver(conn: Connection) -> sqlite3.Connection:
    return conn.connection.driver_connection  # type: ignore[return-value]


def _got_write_lock(conn: Connection, deadline: float) -> bool:
    try:
        conn.exec_driver_sql("BEGIN IMMEDIATE")
    except DBAPIError as error:
        if "locked" in str(error.orig) and time.monotonic() < deadline:
            return False
        raise
    return True
