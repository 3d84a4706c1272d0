"""The command line: `longline serve`, `run`, `tail`, `answer` and the others; each in a module of its own."""

import importlib

import click

# Module and name of each command. They are imported when they are asked for: most commands need no
# database, and a shell completes at each Tab.
GROUPS = {
    "Run and watch missions (LONGLINE_URL and LONGLINE_TOKEN name the server)": {
        "run": "run:run", "tail": "tail:tail", "answer": "answer:answer",
        "missions": "missions:missions", "show": "missions:show", "cancel": "missions:cancel",
        "retry": "missions:retry", "files": "missions:files", "share": "share:share",
    },
    "Run the service": {
        "serve": "serve:serve", "web": "web:web", "worker": "worker:worker",
        "sender": "webhook:sender", "demo": "demo:demo",
    },
    "Look after the database": {
        "migrate": "migrate:migrate", "export": "archive:export", "import": "archive:import_",
        "prune": "prune:prune", "token": "token:token", "audit": "audit:audit",
        "workspace": "workspace:workspace", "webhook": "webhook:webhook",
    },
    "Set up, find out, show": {
        "project": "project:project", "doctor": "doctor:doctor", "replay": "replay:replay",
        "completion": "completion:completion",
    },
}  # fmt: skip
WHERE = {name: where for commands in GROUPS.values() for name, where in commands.items()}


class Grouped(click.Group):
    """A group that imports a command when it is used, and whose help lists them by what they are for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's own)
        return list(WHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in WHERE:
            return None
        module, name = WHERE[cmd_name].split(":")
        found: click.Command = getattr(importlib.import_module(f"service.cli.{module}"), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, WHERE))
        for title, commands in GROUPS.items():
            found = {name: self.get_command(ctx, name) for name in commands}
            rows = [
                (name.ljust(width), c.get_short_help_str(120)) for name, c in found.items() if c
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
