"""`longline audit`: who did what. Reads only."""

import click

from service.cli.database import existing
from service.cli.server import as_json
from service.cli.showing import print_json, print_table
from service.clock import rfc3339
from service.security import audit as entries


@click.command()
@click.option("--workspace", help="Of one workspace; of all when left out.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many."
)
@as_json
def audit(workspace: str | None, limit: int, json: bool) -> None:
    """Show who created, cancelled and answered, and who made and ended tokens; the newest last."""
    with existing().reading() as conn:
        rows = entries.newest(conn, workspace=workspace, limit=limit)
    found = [
        {
            "at": rfc3339(row.at_ms),
            "workspace": row.workspace,
            "actor": row.actor,
            "token": row.token_id,
            "action": row.action,
            "subject": row.subject,
        }
        for row in rows
    ]
    if json:
        print_json(found)
        return
    columns = ("at", "workspace", "actor", "token", "action", "subject")
    print_table(columns, [list(entry.values()) for entry in found])
