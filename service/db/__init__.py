"""The database: engine, transactions, and hints that something changed. Knows no table.

The two databases differ here and in `events.append`, and nowhere else: `sqlite` and `postgres`
prepare connections and begin transactions; `hints` and `bell` say and hear that there is news.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.config import Settings
from service.db import postgres, sqlite
from service.db.bell import Bell, FileBell
from service.db.checkpoints import Checkpointer
from service.db.hints import ChangeHint, PostgresChangeHint, SqliteChangeHint
from service.db.sight import Sight

POOL_TIMEOUT_S = 10.0  # writers that saturate a database make others wait up to 2 s
ROWS_AT_ONCE = 100  # fetched with one call, of a result that may not be read to its end

# What a caller may retry later: the database is not there, or every connection is taken.
UNAVAILABLE = (OperationalError, PoolTimeout)

__all__ = ["UNAVAILABLE", "ChangeHint", "Database", "Sight", "look", "reason", "rows", "stream"]


class Database:
    """One process's way to the database. Not to be carried across a fork."""

    def __init__(self, settings: Settings, *, pool_size: int = 5, listens: bool = False) -> None:
        """listens: one connection of pool_size is kept for `change_hint`; on SQLite, one more each for
        `watching` and `brief`.
        """
        self.url = _driver_url(settings.resolved_database_url)
        # What needs a session of its own goes around a pooler, where there is one.
        self.direct_url = _driver_url(settings.direct_database_url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _make_folder(self.url)
        self.engine = create_engine(
            self.url,
            pool_size=max(1, pool_size + (2 * listens if self.is_sqlite else -listens)),
            max_overflow=0,
            pool_use_lifo=True,  # the server keeps plans in each session
            pool_timeout=POOL_TIMEOUT_S,
            connect_args={} if self.is_sqlite else postgres.connect_arguments(),
        )
        if self.is_sqlite:
            sqlite.prepare(self.engine, settings.sqlite_synchronous)
        else:
            postgres.prepare(self.engine)
        self._bell = FileBell(sqlite.bell_file(self.url)) if self.is_sqlite else Bell(self.engine)
        self._watching: Connection | None = None
        self._brief: Connection | None = None
        self._brief_is_free = Lock()
        self._checkpointer: Checkpointer | None = None
        self._reads_committed: bool | None = None

    @contextmanager
    def transaction(self, *, lock: int | None = None) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back when the block raises.

        lock: of those who name the same number one comes after the other, as on SQLite all do.
        """
        with self.engine.connect().execution_options(longline_lock=lock) as conn, conn.begin():
            yield conn
        self._bell.ring()

    @contextmanager
    def statement(self, *, news: bool = True) -> Iterator[Connection]:
        """A write transaction of one statement, such as an append, which PostgreSQL commits with it.

        As `transaction` otherwise. What the statement has locked others get without waiting for a
        further round trip of ours, which is what appends to one workspace wait for most.
        news: whether there is anything that others may wait for.
        """
        if not self.learn():
            with self.transaction() as conn:
                yield conn
            return
        with self.engine.connect().execution_options(longline_mode="alone") as conn, conn.begin():
            yield conn
        if news:
            self._bell.ring()

    def at_once(self, query: str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """What a statement for PostgreSQL's driver returns that writes, and is a transaction by itself.

        Past SQLAlchemy, whose work would be most of what it costs. Its errors are SQLAlchemy's nevertheless.
        It rings no bell: who sends it knows what follows first.
        """
        if self.learn():
            return postgres.at_once(self.engine, query, parameters)
        with self.engine.connect() as conn, conn.begin():
            return conn.exec_driver_sql(query, dict(parameters)).all()

    def ring(self) -> None:
        """Tell those who listen of what `at_once` has written."""
        self._bell.ring()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view for several reads. Takes no write lock; writes in it fail."""
        with self.engine.connect().execution_options(longline_mode="reading") as conn, conn.begin():
            yield conn

    @contextmanager
    def watching(self) -> Iterator[Sight]:
        """For the one who looks at every commit. Not to be entered twice at once.

        On PostgreSQL the first statement is a transaction by itself, so one round trip instead of three.
        """
        if not self.is_sqlite:
            with self.glance() as conn:
                yield Sight(conn, postgres.begin_reading)
            return
        if self._watching is None:
            self._watching = self._kept()
        with sqlite.view(self._watching) as conn:
            yield Sight(conn, None)

    @contextmanager
    def brief(self) -> Iterator[Connection]:
        """As `reading`, for the few rows that nearly every request asks for.

        On SQLite, on a connection that is kept for whoever comes first: SQLAlchemy's way to one and back costs
        several times what is read.
        """
        if not self.is_sqlite or not self._brief_is_free.acquire(blocking=False):
            with self.reading() as conn:
                yield conn
            return
        try:
            if self._brief is None:
                self._brief = self._kept()
            with sqlite.view(self._brief) as conn:
                yield conn
        finally:
            self._brief_is_free.release()

    def few(self, query: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """What `brief` is for, where it is one statement, with `?`: on PostgreSQL past SQLAlchemy."""
        if self.is_sqlite:
            with self.brief() as conn:
                return rows(conn, query, parameters)
        told = query.replace("?", "%s")
        try:
            return postgres.at_once(self.engine, told, parameters)
        except OperationalError as error:
            if not error.connection_invalidated:
                raise
            return postgres.at_once(
                self.engine, told, parameters
            )  # another may have taken its place

    def _kept(self) -> Connection:
        """A connection of SQLite for `sqlite.view`."""
        opened = self.engine.connect().execution_options(longline_mode="watching")
        opened.exec_driver_sql("PRAGMA query_only = 1")
        opened.rollback()
        return opened

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """For one read: without a transaction around it, which would be two statements more."""
        with self.engine.connect().execution_options(longline_mode="glance") as conn, conn.begin():
            yield conn

    def learn(self) -> bool:
        """Whether a statement without a BEGIN of ours sees the newest rows. Asked once, ahead of the first one."""
        if self.is_sqlite:
            return False
        if self._reads_committed is None:
            with self.glance() as conn:
                self._reads_committed = postgres.reads_committed(conn)
        return self._reads_committed

    def change_hint(
        self, channel: str = "events", *, wake: Callable[[], None] = lambda: None
    ) -> ChangeHint:
        """Hears commits of any process.

        channel: `events`, or `work` for what is to be claimed. wake: called in another thread at
        each word on the channel, for those who would not look soon; PostgreSQL only.
        """
        if self.is_sqlite:
            return SqliteChangeHint(self.url)
        return PostgresChangeHint(self.direct_url, f"longline_{channel}", wake)

    def tidy(self) -> None:
        """Keep commits of this and other processes short, until `close`. For those that stay."""
        if self.is_sqlite and self._checkpointer is None:
            self._checkpointer = Checkpointer(self.url)

    def close(self) -> None:
        self._bell.close()
        if self._checkpointer is not None:
            self._checkpointer.close()
        for kept in filter(None, (self._watching, self._brief)):
            kept.close()
        self.engine.dispose()


def reason(error: Exception) -> str:
    """Why a database does not answer, in one line for the operator's log: no statement, no values."""
    driver = error.orig if isinstance(error, DBAPIError) else error
    told, *_ = [*str(driver).strip().splitlines(), type(driver).__name__]
    bare = getattr(driver, "sqlstate", None) in postgres.NOT_MIGRATED
    return f"{told}; has `longline migrate` been run?" if bare else told


def rows(conn: Connection, query: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """What a query of the hottest path finds. Written for the driver, with `?`: SQLAlchemy's own work
    would be most of what it costs. Its errors are SQLAlchemy's nevertheless.
    """
    if conn.dialect.name != "sqlite":
        return conn.exec_driver_sql(query.replace("?", "%s"), tuple(parameters)).all()
    with sqlite.driver(conn) as driver:
        return driver.execute(query, parameters).fetchall()


def look(conn: Connection, query: str, parameters: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """As `rows`, for who looks at every commit: on a connection that has no transaction on PostgreSQL."""
    if conn.dialect.name != "sqlite":
        return postgres.fetch(conn, query.replace("?", "%s"), parameters)
    return rows(conn, query, parameters)


def stream(conn: Connection, query: str, parameters: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """As `rows`, but fetched as they are consumed, some at once: for what may be more than is wanted."""
    if conn.dialect.name != "sqlite":
        some = {"stream_results": True, "yield_per": ROWS_AT_ONCE}
        told = query.replace("?", "%s")
        with conn.exec_driver_sql(told, tuple(parameters), execution_options=some) as found:
            yield from found
        return
    with sqlite.driver(conn) as driver:
        yield from driver.execute(query, parameters)


def _driver_url(text: str) -> URL:
    """The URL with the driver we ship. Platforms hand out `postgres://`, which SQLAlchemy refuses."""
    url = make_url(text)
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _make_folder(url: URL) -> None:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
