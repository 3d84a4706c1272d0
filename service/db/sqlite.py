"""SQLite as we use it: WAL, and a write transaction takes the write lock when it begins."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

BUSY_DEADLINE_S = 10.0  # writers that saturate one file make others wait up to 2 s
# An append holds the lock for about 0.3 ms. The first looks come soon after each other, later ones
# less often: many who look all the time would take the processor from the one who holds it.
BUSY_SLEEP_S, BUSY_SLEEP_MAX_S = 0.0004, 0.003
# A commit that finds so much in the -wal file (32 MB) takes 20 ms to tidy up; SQLite's own 1000 pages
# are full every 150 events. Where a worker runs, `checkpoints` does it before.
CHECKPOINT_PAGES = 8000


def bell_file(url: URL) -> Path:
    """What is written to behind each commit, see `bell`."""
    return Path(f"{url.database}-bell").absolute()


def prepare(engine: Engine, synchronous: str) -> None:
    """Set up every connection of an engine, and how its transactions begin."""

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where it guesses
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_DEADLINE_S * 1000)}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        mode = conn.get_execution_options().get("longline_mode")
        if mode == "watching":
            return  # see `view`
        reading = mode is not None
        _driver(conn).execute(f"PRAGMA query_only = {int(reading)}")
        if reading:
            _driver(conn).execute("BEGIN")
        else:
            _begin_immediate(conn)


def _begin_immediate(conn: Connection) -> None:
    """Take the write lock, waiting in Python rather than in C.

    IMMEDIATE because a transaction that reads first and then writes fails at once when somebody
    else wrote in between, whatever the busy timeout. In Python because a wait inside sqlite3
    holds up every greenlet of a gevent process.
    """
    driver = _driver(conn)
    deadline, sleep_s = time.monotonic() + BUSY_DEADLINE_S, BUSY_SLEEP_S
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while not _got_write_lock(conn, deadline):
            time.sleep(sleep_s * random.uniform(0.5, 1.5))  # noqa: S311 (spreads writers)
            sleep_s = min(sleep_s * 1.5, BUSY_SLEEP_MAX_S)
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(BUSY_DEADLINE_S * 1000)}")


@contextmanager
def view(conn: Connection) -> Iterator[Connection]:
    """One consistent view, on a connection that is kept for it: SQLAlchemy's own way to begin and end one
    costs more than what is then read. Whatever of SQLAlchemy is used in it ends with it.
    """
    own = _driver(conn)
    own.execute("BEGIN")
    try:
        yield conn
    finally:
        if conn.in_transaction():
            conn.rollback()
        if own.in_transaction:
            own.execute("ROLLBACK")


@contextmanager
def driver(conn: Connection) -> Iterator[sqlite3.Connection]:
    """The driver's own connection, for the hottest statements. What fails is SQLAlchemy's error."""
    try:
        yield _driver(conn)
    except sqlite3.Error as error:
        raise DBAPIError.instance(None, None, error, sqlite3.Error, dialect=conn.dialect) from error


def _driver(conn: Connection) -> sqlite3.Connection:
    return conn.connection.driver_connection  # type: ignore[return-value]


def _got_write_lock(conn: Connection, deadline: float) -> bool:
    try:
        _driver(conn).execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) and time.monotonic() < deadline:
            return False
        conn.exec_driver_sql("BEGIN IMMEDIATE")  # and what it fails with is SQLAlchemy's error
    return True
