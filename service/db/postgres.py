"""PostgreSQL as we use it: how a connection is made, and how its transactions begin.

Everything is set in the transaction itself, nothing in the session: so it also holds behind a
pooler that gives each transaction another session.
"""

from array import array
from collections.abc import Mapping, Sequence
from fcntl import ioctl
from termios import FIONREAD
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, PoolProxiedConnection, event
from sqlalchemy.exc import DBAPIError, OperationalError

# Who hangs in mid-transaction (stopped, cut off) holds the workspace's counter, and with it
# everybody: the server ends that transaction. Ours take milliseconds.
IDLE_IN_TRANSACTION_MS = 5_000
# READ COMMITTED, whatever the server's default: each statement behind a lock sees the newest rows.
BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED;"
    f" SET LOCAL idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS}"
)
# What a server says that may only be read, as one does that has just been replaced by another.
READ_ONLY = "25006"
# A table, a column or a function is not there: the database is not migrated yet, and will be.
NOT_MIGRATED = ("42P01", "42703", "42883")
# Modes of one statement, which is a transaction by itself.
WITHOUT_BEGIN = ("glance", "alone")
BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


def connect_arguments() -> dict[str, Any]:
    """libpq's parameters: a server that is gone without a word is noticed in about ten seconds."""
    return {
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        "application_name": "longline",
        # Begin and end are ours. psycopg would send a BEGIN of its own, a round trip more.
        "autocommit": True,
        # A pooler in transaction mode gives the next statement to a session that has not prepared it.
        "prepare_threshold": None,
    }


def prepare(engine: Engine) -> None:
    """Set up how transactions of an engine begin."""

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        options = conn.get_execution_options()
        mode, lock = options.get("longline_mode"), options.get("longline_lock")
        if mode in WITHOUT_BEGIN:
            return
        statement = BEGIN_READING if mode == "reading" else BEGIN
        if lock is not None:  # in the same message
            statement += f"; SELECT pg_advisory_xact_lock({int(lock)})"
        try:
            _send(conn, statement)
        except OperationalError as error:
            if not error.connection_invalidated:
                raise
            # The server was restarted since this connection was used last: nothing has been done
            # on it yet, so a new one may take its place. The pool has dropped the others too.
            _send(conn, statement)

    @event.listens_for(engine, "handle_error")
    def _name(failed: ExceptionContext) -> None:
        """Who slept in mid-transaction, for one, is told of an internal error."""
        error = failed.original_exception
        failed.is_disconnect = _is_gone(error, closed=failed.is_disconnect)
        named = _named(failed.statement, error, gone=failed.is_disconnect)
        if named is not None:
            raise named


def begin_reading(conn: Connection) -> None:
    """Have what is read from here on see one moment, on a connection that has no transaction yet."""
    _send(conn, BEGIN_READING)


def reads_committed(conn: Connection) -> bool:
    """Whether a transaction is READ COMMITTED that nobody says anything else of."""
    default = conn.exec_driver_sql("SHOW default_transaction_isolation").scalar_one()
    return bool(default == "read committed")


def fetch(conn: Connection, query: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """What a query finds on a connection without a transaction, past SQLAlchemy, whose work is a third of a look.

    Where it fails it is asked once more, so that the error is SQLAlchemy's, and its pool hears of it.
    """
    try:
        driver: Any = conn.connection.driver_connection
        found: Sequence[Sequence[Any]] = driver.execute(query, parameters).fetchall()
        return found
    except conn.dialect.loaded_dbapi.Error:
        return conn.exec_driver_sql(query, tuple(parameters)).all()


def at_once(
    engine: Engine, query: str, parameters: Sequence[Any] | Mapping[str, Any]
) -> Sequence[Sequence[Any]]:
    """What a statement finds that is a transaction by itself, past SQLAlchemy but for its pool and errors."""
    lent = _lent(engine, query)
    driver: Any = lent.driver_connection
    try:
        found: Sequence[Sequence[Any]] = driver.execute(query, parameters).fetchall()
    except engine.dialect.loaded_dbapi.Error as error:
        gone = _is_gone(error, closed=driver.closed)
        if gone:
            _give_up(engine, lent)
        raise _named(query, error, gone=gone) or DBAPIError.instance(
            query, None, error, engine.dialect.loaded_dbapi.Error, dialect=engine.dialect
        ) from None
    finally:
        lent.close()
    return found


def _lent(engine: Engine, query: str) -> PoolProxiedConnection:
    """A connection that may write at once: on one whose server has ended since, nothing could be tried again."""
    try:
        lent = engine.raw_connection()
        driver: Any = lent.driver_connection
        unread = array("i", [0])
        ioctl(driver.fileno(), FIONREAD, unread)
        if not unread[0]:
            return lent
        _give_up(engine, lent)  # nobody has asked: a server's last word
        return engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error as error:
        raise OperationalError(query, None, error) from None


def _give_up(engine: Engine, lent: PoolProxiedConnection) -> None:
    """With all others of the pool, which lead to the same server."""
    lent.invalidate()
    engine.dispose()


def _is_gone(error: BaseException, *, closed: bool) -> bool:
    """Whether the next connection may lead to another server: this one's has gone, or may only be read."""
    return closed or getattr(error, "sqlstate", None) == READ_ONLY


def _named(statement: str | None, error: BaseException, *, gone: bool) -> OperationalError | None:
    """All that passes by itself as one class, that of an outage, whatever the server calls it."""
    if gone or getattr(error, "sqlstate", None) in NOT_MIGRATED:
        return OperationalError(statement, None, error, connection_invalidated=gone)
    return None


def _send(conn: Connection, statements: str) -> None:
    conn.exec_driver_sql(statements, execution_options={"no_parameters": True})
