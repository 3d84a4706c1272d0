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
    """Exit 2 where others could reach a server that asks nobody for a token, or that will forget."""
    platform = config.platform_variable()
    if platform is not None and not found.says_where_data_lives:
        raise BadSettings(
            f"{platform} is set: the files of most platforms are gone after the next deploy.\n"
            "Attach a database (DATABASE_URL), or a disk and say where:  export LONGLINE_DATA=/var/data"
        )
    guarded = _is_guarded(found)
    if not found.on_loopback or platform is not None:
        _refuse_unguarded(found, platform, guarded)


def _is_guarded(found: Settings) -> bool:
    """Whether there is a token, once the one of the environment is what it says there."""
    chosen = None if found.admin_token is None else found.admin_token.get_secret_value()
    db = Database(found)
    if db.is_sqlite:
        schema.upgrade(db)
    with db.transaction() as conn:
        tokens.keep_environment_token(conn, chosen)
        guarded = tokens.any_valid(conn)
    db.close()
    return guarded


def _refuse_unguarded(found: Settings, platform: str | None, guarded: bool) -> None:
    if not guarded:
        why = f"it would listen on {found.bind_host}" if platform is None else f"{platform} is set"
        raise BadSettings(
            f"There is no token, and {why}: anybody could run missions here.\n"
            "Make one first:  longline token create --scope admin"
        )
