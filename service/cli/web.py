"""`longline web`: the web process, which is gunicorn with our configuration."""

import logging
import os
import sys
from contextlib import closing
from pathlib import Path

import click

from service import config, logs, schema
from service.cli.settings import BadSettings, settings
from service.config import Settings
from service.db import UNAVAILABLE, Database, reason
from service.security import tokens

logger = logging.getLogger(__name__)

GUNICORN_CONF = Path(__file__).resolve().parent.parent / "gunicorn_conf.py"


@click.command()
def web() -> None:
    """Serve the API and the page.

    Listens on 127.0.0.1:8000; LONGLINE_HOST, LONGLINE_PORT and WEB_CONCURRENCY change that. Beyond
    loopback, and on hosting platforms, it starts only when there is a token.
    """
    found = settings()
    logs.configure()
    answers = refuse_to_be_open(found)
    # The same process: signals go to gunicorn itself, and it has our process id.
    os.execv(sys.executable, command(late=not answers))  # noqa: S606


def command(*, late: bool = False) -> list[str]:
    """The command line of the web process. late: its database does not answer yet."""
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONF)]
    return [*gunicorn, f"service.app:create_app(late={late})"]


def refuse_to_be_open(found: Settings) -> bool:
    """Exit 2 where others could reach a server that asks nobody for a token, or that will forget.

    Whether the database answered. While it does not, nobody comes in, so that is no reason not to start.
    """
    platform = config.platform_variable()
    if platform is not None and not found.says_where_data_lives:
        raise BadSettings(
            f"{platform} is set: the files of most platforms are gone after the next deploy.\n"
            "Attach a database (DATABASE_URL), or a disk and say where:  export LONGLINE_DATA=/var/data"
        )
    try:
        guarded = _is_guarded(found)
    except UNAVAILABLE as error:
        logger.warning(
            "the database does not answer, so /readyz says 503 till then: %s", reason(error)
        )
        return False
    if not found.on_loopback or platform is not None:
        _refuse_unguarded(found, platform, guarded)
    return True


def _is_guarded(found: Settings) -> bool:
    """Whether there is a token, once the one of the environment is what it says there."""
    chosen = None if found.admin_token is None else found.admin_token.get_secret_value()
    with closing(Database(found)) as db:
        if db.is_sqlite:
            _migrate_file(db)
        with db.transaction() as conn:
            tokens.keep_environment_token(conn, chosen)
            return tokens.any_valid(conn)


def _migrate_file(db: Database) -> None:
    try:
        schema.upgrade(db)
    except UNAVAILABLE as error:  # nobody will put this right while we wait
        raise click.ClickException(
            f"The database file {db.url.database}: {reason(error)}"
        ) from None


def _refuse_unguarded(found: Settings, platform: str | None, guarded: bool) -> None:
    if not guarded:
        why = f"it would listen on {found.bind_host}" if platform is None else f"{platform} is set"
        raise BadSettings(
            f"There is no token, and {why}: anybody could run missions here.\n"
            "Make one first:  longline token create --scope admin"
        )
