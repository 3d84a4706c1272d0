"""The command line: `longline serve`, `run`, `tail`, `answer` and the others; each in a module of its own."""

import click

from service.cli.answer import answer
from service.cli.archive import export, import_
from service.cli.audit import audit
from service.cli.completion import completion
from service.cli.demo import demo
from service.cli.doctor import doctor
from service.cli.migrate import migrate
from service.cli.missions import cancel, files, missions, retry, show
from service.cli.project import project
from service.cli.prune import prune
from service.cli.replay import replay
from service.cli.run import run
from service.cli.serve import serve
from service.cli.tail import tail
from service.cli.token import token
from service.cli.web import web
from service.cli.webhook import sender, webhook
from service.cli.worker import worker
from service.cli.workspace import workspace

GROUPS = {
    "Run and watch missions (LONGLINE_URL and LONGLINE_TOKEN name the server)": (
        run, tail, answer, missions, show, cancel, retry, files,
    ),
    "Run the service": (serve, web, worker, sender, demo),
    "Look after the database": (migrate, export, import_, prune, token, audit, workspace, webhook),
    "Set up, find out, show": (project, doctor, replay, completion),
}  # fmt: skip


class Grouped(click.Group):
    """A group whose help lists commands by what they are for."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for name in self.list_commands(ctx))
        for title, commands in GROUPS.items():
            rows = [
                ((command.name or "").ljust(width), command.get_short_help_str(70))
                for command in commands
            ]
            with formatter.section(title):
                formatter.write_dl(rows)


@click.group(cls=Grouped, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="longline")
def main() -> None:
    """Longline runs AI-agent missions and shows them as they happen, over plain HTTP.

    `longline serve` is all that one machine needs. Settings are environment variables:
    DATABASE_URL, LONGLINE_MODEL, OPENAI_API_KEY and others; see docs/operations.md.
    `longline COMMAND --help` shows how a command is used.
    """


for command in (command for group in GROUPS.values() for command in group):
    main.add_command(command)
