"""`longline workspace`: who shares missions, tokens and a log."""

import click
from sqlalchemy import select

from models import workspaces
from service.cli.database import existing, prepared
from service.cli.server import as_json
from service.cli.showing import print_json, print_table
from service.clock import rfc3339
from service.events import naming
from service.security import tokens


@click.group()
def workspace() -> None:
    """Workspaces: each has its own missions, tokens and log. Works on the database itself."""


@workspace.command("list")
@as_json
def list_all(json: bool) -> None:
    """List workspaces, with the newest and the oldest number of their logs."""
    with existing().reading() as conn:
        rows = conn.execute(select(workspaces).order_by(workspaces.c.id)).all()
    found = [
        {"name": r.name, "head": r.head, "oldest": r.oldest, "feed": r.feed,
         "created_at": rfc3339(r.created_ms)}
        for r in rows
    ]  # fmt: skip
    if json:
        print_json(found)
    else:
        print_table(
            ("name", "head", "oldest", "feed", "created"), [list(f.values()) for f in found]
        )


@workspace.command()
@click.argument("name")
@as_json
def create(name: str, json: bool) -> None:
    """Make a workspace; does nothing when it is there. `token create --workspace` opens it."""
    with prepared().transaction() as conn:
        made = {"id": tokens.workspace_named(conn, name), "name": name}
    print_json(made) if json else click.echo(name)


@workspace.command("rename-feed")
@click.argument("name", required=False)
@as_json
def rename_feed(name: str | None, json: bool) -> None:
    """Give the logs new names: always do this after a backup was restored.

    Clients recognise a log by its name. Without this, one that had seen events which the backup
    does not have would take new events with the same numbers for those. Without NAME: all of them.
    """
    with existing().transaction() as conn:
        renamed = naming.rename(conn, name)
    if not renamed:
        raise click.ClickException(f"there is no workspace {name!r}")
    print_json(renamed) if json else click.echo(f"new names for: {', '.join(renamed)}")
