"""`longline worker`: claims missions and runs them."""

import click

from service import logs
from service.cli.settings import BadSettings, settings


@click.command()
def worker() -> None:
    """Claim missions and run them, LONGLINE_CONCURRENCY at once (4).

    SIGTERM and Ctrl-C hand what runs over to the next worker.
    """
    found = settings()
    logs.configure()
    try:
        from service.worker.supervisor import Supervisor  # other commands start without it
    except ImportError as error:
        raise BadSettings(f"{error.name} is missing: pip install 'longline[worker]'") from None
    Supervisor(found).run()
