"""`longline migrate`: brings the database's schema up to date."""

import click

from service import schema
from service.cli.server import as_json
from service.cli.settings import settings
from service.cli.showing import print_json
from service.db import Database


@click.command()
@as_json
def migrate(json: bool) -> None:
    """Bring the schema of the database up to date. Safe to run again, and while others serve."""
    db = Database(settings())
    before = schema.current(db)
    schema.upgrade(db)
    after = schema.current(db)
    if json:
        print_json({"before": before, "after": after})
    else:
        click.echo(f"up to date at {after}" if before == after else f"migrated to {after}")
