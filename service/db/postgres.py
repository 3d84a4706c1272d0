"""PostgreSQL as we use it: how a connection is made, and how its transactions begin.

Everything is set in the transaction itself, nothing in the session: so it also holds behind a
pooler that gives each transaction another session.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.exc import OperationalError

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
        """Give all that passes by itself one class, that of an outage, whatever the server calls it.

        Who slept in mid-transaction, for one, is told of an internal error.
        """
        error = failed.original_exception
        state = getattr(error, "sqlstate", None)
        if state == READ_ONLY:
            failed.is_disconnect = True  # the next connection may lead to the other one
        if failed.is_disconnect or state in NOT_MIGRATED:
            gone = failed.is_disconnect
            raise OperationalError(failed.statement, None, error, connection_invalidated=gone)


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


def _send(conn: Connection, statements: str) -> None:
    conn.exec_driver_sql(statements, execution_options={"no_parameters": True})
