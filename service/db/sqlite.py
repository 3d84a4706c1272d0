"""SQLite as we use it: WAL, and a write transaction takes the write lock when it begins."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
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
READS = "longline_reads"  # in a connection's own notes: which of the two it is prepared for


def bell_file(url: URL) -> Path:
    """What is written to behind each commit, see `bell`."""
    return Path(f"{url.database}-bell").absolute()


def prepare(engine: Engine, synchronous: str) -> None:
    """Set up every connection of an engine, and how its transactions begin."""

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where it guesses
        _wait_in_c(connection, BUSY_DEADLINE_S)
        _turn_to_wal(connection)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        mode = conn.get_execution_options().get("longline_mode")
        reads = mode is not None
        if conn.info.get(READS) is not reads:
            _prepare_for(conn, reads=reads)
        if mode == "watching":
            return  # see `view`
        if reads:
            _driver(conn).execute("BEGIN")
        else:
            _begin_immediate(conn)


def _prepare_for(conn: Connection, *, reads: bool) -> None:
    """Have a connection read only, or wait for the write lock in Python rather than in C.

    In Python because a wait inside sqlite3 holds up every greenlet of a gevent process. Not at each
    transaction: `query_only` has SQLite compile all its statements again, which took half of an append.
    """
    connection = _driver(conn)
    conn.info.pop(READS, None)
    connection.execute(f"PRAGMA query_only = {int(reads)}")
    _wait_in_c(connection, BUSY_DEADLINE_S if reads else 0)
    conn.info[READS] = reads


def _wait_in_c(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _begin_immediate(conn: Connection) -> None:
    """Take the write lock, however long others have it.

    IMMEDIATE because a transaction that reads first and then writes fails at once when somebody
    else wrote in between, whatever the busy timeout.
    """
    _repeat(lambda deadline: _got_write_lock(conn, deadline))


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite itself does not wait for others that turn a new file into one with a -wal file at the same moment."""
    _repeat(lambda deadline: _is_wal(connection, deadline))


def _is_wal(connection: sqlite3.Connection, deadline: float) -> bool:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) and time.monotonic() < deadline:
            return False
        raise
    return True


def _repeat(done: Callable[[float], bool]) -> None:
    """Until it is done. done: given when to give up waiting."""
    deadline, sleep_s = time.monotonic() + BUSY_DEADLINE_S, BUSY_SLEEP_S
    while not done(deadline):
        time.sleep(sleep_s * random.uniform(0.5, 1.5))  # noqa: S311 (spreads writers)
        sleep_s = min(sleep_s * 1.5, BUSY_SLEEP_MAX_S)


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
