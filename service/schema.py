"""The schema: brings a database to the newest revision, and tells which one it has."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.db import Database

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def upgrade(db: Database, revision: str = "head") -> None:
    """Run what is missing, in one transaction. Does nothing on a database that is up to date."""
    with db.transaction() as conn:
        config = _config()
        config.attributes["connection"] = conn
        command.upgrade(config, revision)


def downgrade(db: Database, revision: str) -> None:
    with db.transaction() as conn:
        config = _config()
        config.attributes["connection"] = conn
        command.downgrade(config, revision)


def current(db: Database) -> str | None:
    """The revision a database has; None for an empty one."""
    with db.reading() as conn:
        return MigrationContext.configure(conn).get_current_revision()


def newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
