"""The schema: brings a database to the newest revision, and tells which one it has."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select

from service.db import Database

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
ONE_MIGRATION = 0x10_6C_11_6E  # an advisory lock's number: any that nobody else uses


def upgrade(db: Database, revision: str = "head") -> None:
    """Run what is missing, in one transaction. Does nothing on a database that is up to date."""
    with _alone(db) as config:
        command.upgrade(config, revision)


def downgrade(db: Database, revision: str) -> None:
    with _alone(db) as config:
        command.downgrade(config, revision)


def current(db: Database) -> str | None:
    """The revision a database has; None for an empty one."""
    with db.reading() as conn:
        return MigrationContext.configure(conn).get_current_revision()


def newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


@contextmanager
def _alone(db: Database) -> Iterator[Config]:
    """Alembic's configuration, in a transaction that no other migration runs beside."""
    with db.transaction() as conn:
        if not db.is_sqlite:  # there the transaction itself holds off all other writers
            conn.execute(select(func.pg_advisory_xact_lock(ONE_MIGRATION)))
        config = _config()
        config.attributes["connection"] = conn
        yield config


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
