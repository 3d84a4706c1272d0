"""The command line: `longline serve`, `web`, `worker`, `migrate`, `demo`, `token`."""

import click

from service.cli.demo import demo
from service.cli.migrate import migrate
from service.cli.serve import serve
from service.cli.token import token
from service.cli.web import web
from service.cli.worker import worker


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="longline")
def main() -> None:
    """Longline runs AI-agent missions and shows them as they happen, over plain HTTP.

    `longline serve` is all that one machine needs. Settings are environment variables:
    DATABASE_URL, LONGLINE_MODEL, OPENAI_API_KEY and others; see docs/operations.md.
    """


for command in (serve, web, worker, migrate, demo, token):
    main.add_command(command)
