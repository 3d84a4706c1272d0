"""`longline web`: the web process, which is gunicorn with our configuration."""

import os
import sys
from pathlib import Path

import click

from service import config, schema
from service.cli.settings import BadSettings, settings
from service.config import Settings
from service.db import Database
from service.security import tokens

GUNICORN_CONF = Path(__file__).resolve().parent.parent / "gunicorn_conf.py"


@click.command()
def web() -> None:
    """Serve the API and the page.

    Listens on 127.0.0.1:8000; LONGLINE_HOST, LONGLINE_PORT and WEB_CONCURRENCY change that. Beyond
    loopback, and on hosting platforms, it starts only when there is a token.
    """
    found = settings()
    refuse_to_be_open(found)
    # The same process: signals go to gunicorn itself, and it has our process id.
    os.execv(sys.executable, command())  # noqa: S606


def command() -> list[str]:
    """The command line of the web process."""
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONF)]
    return [*gunicorn, "service.app:create_app()"]


def refuse_to_be_open(found: Settings) -> None:
    """Exit 2 where others could reach a server that asks nobody for a token."""
    platform = config.platform_variable()
    if found.on_loopback and platform is None:
        return
    db = Database(found)
    if db.is_sqlite:
        schema.upgrade(db)
    with db.reading() as conn:
        guarded = tokens.any_valid(conn)
    db.close()
    if not guarded:
        why = f"it would listen on {found.bind_host}" if platform is None else f"{platform} is set"
        raise BadSettings(
            f"There is no token, and {why}: anybody could run missions here.\n"
            "Make one first:  longline token create --scope admin"
        )
