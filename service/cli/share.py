"""`longline share`: a link to one mission, or to one question, for somebody without a token."""

import click

from service.cli.durations import DURATION
from service.cli.server import as_json, speaks_to_server
from service.cli.showing import print_json
from service.client import Client


@click.command()
@click.argument("mission", type=int, required=False)
@click.option("--request", "request_id", type=int, help="Share a question instead, to answer once.")
@click.option(
    "--expires", type=DURATION, default="7d", show_default=True, help="How long it opens: 30d, 12h."
)
@click.option("--name", help="Who gets it: shown with the answer, and in `token list`.")
@as_json
@speaks_to_server
def share(
    client: Client,
    mission: int | None,
    request_id: int | None,
    expires: int,
    name: str | None,
    json: bool,
) -> None:
    """Make a link to MISSION, to read, or to a question, to answer once.

    \b
    longline share 7 --expires 1d
    longline share --request 3 --name customer
    """
    if (mission is None) == (request_id is None):
        raise click.UsageError("name a MISSION, or a question by --request")
    what = f"/missions/{mission}" if mission is not None else f"/requests/{request_id}"
    body = {"expires_s": expires // 1000} | ({"name": name} if name else {})
    link = client.send("POST", f"{what}/links", json=body)
    url = client.url.rstrip("/") + link["path"]
    print_json(link | {"url": url}) if json else click.echo(url)
