"""`longline serve`: web, worker and sender in one command, for one machine."""

import sys
import time
from pathlib import Path

import click

from service import config, schema
from service.cli.ports import is_free
from service.cli.processes import Processes
from service.cli.settings import settings
from service.cli.web import refuse_to_be_open
from service.config import Settings
from service.db import Database

LOOK_S = 0.2
PROCESSES = ("web", "worker", "sender")


@click.command()
def serve() -> None:
    """Run web process, worker and sender together; each is started again when it dies.

    An SQLite file is migrated first. Ctrl-C or SIGTERM stops all.
    """
    found = settings()
    refuse_to_be_open(found)
    _refuse_taken(found)
    processes = prepare(found, config.environment())
    processes.stop_on_signals()
    click.echo(f"Longline serves http://{found.bind_host}:{found.port}", err=True)
    while not processes.stopping:
        processes.look()
        time.sleep(LOOK_S)
    processes.stop()


def _refuse_taken(found: Settings) -> None:
    """Rather than trying again and again, under an address where somebody else answers."""
    if not is_free(found.bind_host, found.port):
        raise click.ClickException(
            f"Port {found.port} of {found.bind_host} is taken. Another one:  "
            f"LONGLINE_PORT={found.port + 1} longline serve"
        )


def prepare(found: Settings, environment: dict[str, str], log: Path | None = None) -> Processes:
    """Its processes, not started yet, on a database that is ready for them. log: see `Processes`."""
    db = Database(found)
    if db.is_sqlite:
        schema.upgrade(db)
    db.close()
    commands = {name: [sys.executable, "-m", "service.cli", name] for name in PROCESSES}
    return Processes(commands, environment, log)
