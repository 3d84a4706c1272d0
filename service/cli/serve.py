"""`longline serve`: web and worker in one command, for one machine."""

import sys
import time

import click

from service import config, schema
from service.cli.processes import Processes
from service.cli.settings import settings
from service.cli.web import refuse_to_be_open
from service.config import Settings
from service.db import Database

LOOK_S = 0.2


@click.command()
def serve() -> None:
    """Run the web process and a worker together; each is started again when it dies.

    An SQLite file is migrated first. Ctrl-C or SIGTERM stops both.
    """
    found = settings()
    refuse_to_be_open(found)
    processes = prepare(found, config.environment())
    processes.stop_on_signals()
    click.echo(f"Longline serves http://{found.bind_host}:{found.port}", err=True)
    while not processes.stopping:
        processes.look()
        time.sleep(LOOK_S)
    processes.stop()


def prepare(found: Settings, environment: dict[str, str]) -> Processes:
    """Web and worker, not started yet, on a database that is ready for both."""
    db = Database(found)
    if db.is_sqlite:
        schema.upgrade(db)
    db.close()
    commands = {name: [sys.executable, "-m", "service.cli", name] for name in ("web", "worker")}
    return Processes(commands, environment)
