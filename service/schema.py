"""The schema: brings a database to the newest revision, and tells which one it has."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, inspect, select, text

from service.db import Database

# Elsewhere it is imported by who migrates: it takes half a second, and a database is nearly always up
# to date when a process begins.
if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
ONE_MIGRATION = 0x10_6C_11_6E  # an advisory lock's number: any that nobody else uses


def upgrade(db: Database, revision: str = "head") -> None:
    """Run what is missing, in one transaction. Does nothing on a database that is up to date."""
    if revision == "head" and current(db) == newest():
        return
    from alembic import command

    with _alone(db) as config:
        command.upgrade(config, revision)


def downgrade(db: Database, revision: str) -> None:
    from alembic import command

    with _alone(db) as config:
        command.downgrade(config, revision)


def current(db: Database) -> str | None:
    """The revision a database has; None for an empty one."""
    with db.reading() as conn:
        if not inspect(conn).has_table("alembic_version"):
            return None
        version = conn.execute(text("SELECT version_num FROM alembic_version"))
        return version.scalar_one_or_none()


def newest() -> str:
    """The revision that this code is written for: its file's name begins with it."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


@contextmanager
def _alone(db: Database) -> "Iterator[Config]":
    """Alembic's configuration, in a transaction that no other migration runs beside."""
    with db.transaction() as conn:
        if not db.is_sqlite:  # there the transaction itself holds off all other writers
            conn.execute(select(func.pg_advisory_xact_lock(ONE_MIGRATION)))
        config = _config()
        config.attributes["connection"] = conn
        yield config


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
