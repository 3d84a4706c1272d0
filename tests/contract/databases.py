"""The databases that every suite of this folder runs on."""

import os
import shutil
from pathlib import Path

import psycopg
from sqlalchemy import Inspector, inspect

from service import schema
from service.config import Settings
from service.db import Database
from tests.postgres import PostgresServer, execute

KEPT = ("alembic_version",)
# Another PostgreSQL server to test on: a URL of a role that may create databases.
ELSEWHERE = os.environ.get("LONGLINE_TEST_DATABASE_URL")
CUT_OFF = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
# Of all rows that are there and were; more is a new file for each table, as TRUNCATE makes them.
FEW_BYTES = 16 * 8192


class Sqlite:
    """Files. One is migrated and then copied, for migrating takes longer than most tests."""

    def __init__(self, folder: Path) -> None:
        self._migrated = folder / "longline.db"
        db = Database(self.settings(folder))
        schema.upgrade(db)
        db.close()

    def settings(self, folder: Path) -> Settings:
        """Settings of a database that is empty until `migrate`."""
        url = f"sqlite:///{folder / 'longline.db'}"
        # NORMAL: tests kill processes, not machines
        return Settings(data=folder, database_url=url, sqlite_synchronous="NORMAL")

    def clear(self, settings: Settings) -> None:
        """A new folder holds nothing."""

    def migrate(self, settings: Settings) -> None:
        shutil.copy(self._migrated, settings.data / "longline.db")

    def close(self) -> None:
        """Files go with their folder."""


class Postgres:
    """A server with one database for all tests: emptying takes less than making one."""

    def __init__(self, folder: Path) -> None:
        self._server = None if ELSEWHERE else PostgresServer()
        if self._server is not None:
            self._server.start()
        self._name = f"longline_test_{os.getpid()}"
        self._template = f"{self._name}_template"
        self._execute(f"CREATE DATABASE {self._template}")
        db = Database(Settings(data=folder, database_url=self._url(self._template)))
        schema.upgrade(db)
        with db.reading() as conn:
            self._emptying = _emptying(inspect(conn))
        db.close()

    def settings(self, folder: Path) -> Settings:
        return Settings(data=folder, database_url=self._url(self._name))

    def clear(self, settings: Settings) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
        self._execute(f"CREATE DATABASE {self._name}")

    def migrate(self, settings: Settings) -> None:
        try:
            execute(self._url(self._name), self._emptying)
        except (
            psycopg.OperationalError,
            psycopg.errors.UndefinedTable,
        ):  # not there, or taken back
            self._execute(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
            self._execute(f"CREATE DATABASE {self._name} TEMPLATE {self._template}")

    def cut_off(self, settings: Settings) -> None:
        """End every connection to the tests' database."""
        execute(settings.database_url or "", CUT_OFF)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            return
        for name in (self._name, self._template):
            self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _url(self, name: str) -> str:
        if self._server is not None:
            return self._server.url(name)
        return f"{(ELSEWHERE or '').rpartition('/')[0]}/{name}"

    def _execute(self, statement: str) -> None:
        execute(ELSEWHERE or self._url("postgres"), statement)


def _emptying(database: Inspector) -> str:
    """One statement, so that its parts stand or fall together. Nobody of an earlier test is left.

    TRUNCATE alone took 65 ms for every test: a hundred new files, and as many rows of the catalogue
    that each connection reads from then on.
    """
    sorted_tables = [name for name, _ in database.get_sorted_table_and_fkc_names() if name]
    tables = [name for name in reversed(sorted_tables) if name not in KEPT]
    numbered = [
        name for name in tables if any(c["name"] == "id" for c in database.get_columns(name))
    ]
    return f"""
        {CUT_OFF};
        DO $$ BEGIN
          IF (SELECT sum(pg_relation_size(name::regclass)) FROM unnest('{{{",".join(tables)}}}'::text[]) name)
              > {FEW_BYTES} THEN
            TRUNCATE {", ".join(tables)} RESTART IDENTITY CASCADE;
          ELSE
            {" ".join(f"DELETE FROM {name};" for name in tables)}
            PERFORM setval(of, 1, false)
              FROM unnest('{{{",".join(numbered)}}}'::text[]) name, pg_get_serial_sequence(name, 'id') of
              WHERE of IS NOT NULL;
          END IF;
        END $$;
        INSERT INTO workspaces (name, feed, created_ms) VALUES ('default', md5(random()::text), 0)
    """


Server = Sqlite | Postgres

DATABASES: dict[str, type[Sqlite] | type[Postgres]] = {"sqlite": Sqlite, "postgresql": Postgres}
