"""The operator's database, for commands that work on it rather than on a server."""

from pathlib import Path

import click

from service import schema
from service.cli.settings import BadSettings, settings
from service.config import Settings
from service.db import Database

ELSEWHERE = "LONGLINE_DATA (a folder) or DATABASE_URL says which one is meant"


def prepared() -> Database:
    """Brought up to date. Made where there is none, and then told: it may be the wrong folder."""
    found = settings()
    if _is_missing(found):
        click.echo(f"This is a new database: {_file(found)}; {ELSEWHERE}.", err=True)
    db = Database(found)
    schema.upgrade(db)
    return db


def existing() -> Database:
    """As it is. Exit 2 where there is none: an empty one would answer every question with "nothing"."""
    found = settings()
    if _is_missing(found):
        raise BadSettings(f"There is no database at {_file(found)}; {ELSEWHERE}.")
    db = Database(found)
    if schema.current(db) is None:
        raise BadSettings(f"The database is empty: longline migrate. Or {ELSEWHERE}.")
    return db


def _file(found: Settings) -> Path:
    return (found.data / "longline.db").absolute()


def _is_missing(found: Settings) -> bool:
    return found.database_url is None and not _file(found).exists()
