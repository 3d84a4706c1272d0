"""`longline tail`: the log as it grows, of one mission or of all."""

import click

from service.cli.following import printer
from service.cli.server import as_json, speaks_to_server
from service.cli.showing import print_line
from service.client import Client


@click.command()
@click.argument("mission", required=False, type=int)
@click.option("--after", default="0", show_default=True, metavar="SEQ|now|-N", help="Begin here.")
@click.option(
    "--kind", "kinds", help="Comma-separated; -KIND for all but: STATUS,OUTPUT or -STREAM."
)
@as_json
@speaks_to_server
def tail(client: Client, mission: int | None, after: str, kinds: str | None, json: bool) -> None:
    """Show events as they come: of MISSION until it ends, without one of all missions.

    Restarts of the server and outages are waited out; no event is lost or shown twice.

    \b
    longline tail 7
    longline tail --after now --kind STATUS,HUMAN_INPUT_REQUEST
    longline tail 7 --json | jq -r 'select(.kind == "OUTPUT").data.text'
    """
    if mission is not None:
        client.missions.get(mission)  # a wrong id or address is told at once
    start = int(after) if after.isdecimal() else after
    shown = printer()
    try:
        for event in client.follow(mission, after=start, kinds=kinds.split(",") if kinds else ()):
            print_line(event) if json else shown.show(event)
    finally:
        shown.close()
