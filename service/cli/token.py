"""`longline token`: the keys to a server that others can reach."""

import click

from service import schema
from service.cli.settings import settings
from service.db import Database
from service.security import tokens


@click.group()
def token() -> None:
    """Make tokens."""


@token.command()
@click.option(
    "--scope",
    "scopes",
    default="read,answer,run",
    show_default=True,
    help=f"Comma-separated, out of {', '.join(tokens.SCOPES)}; admin includes the others.",
)
@click.option("--workspace", default="default", show_default=True, help="Made if there is none.")
@click.option("--name", help="Who has it: shown with the answers that it gives.")
def create(scopes: str, workspace: str, name: str | None) -> None:
    """Make a token and print it, this once: the database keeps only a hash."""
    wanted = scopes.split(",")
    unknown = [scope for scope in wanted if scope not in tokens.SCOPES]
    if unknown:
        raise click.BadParameter(f"there is no scope {unknown[0]!r}", param_hint="--scope")
    db = Database(settings())
    schema.upgrade(db)
    with db.transaction() as conn:
        workspace_id = tokens.workspace_named(conn, workspace)
        made = tokens.create(conn, workspace_id, wanted, name=name)
    click.echo(made)
