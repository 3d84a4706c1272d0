"""`longline demo`: starts server and worker, runs a mission that asks you, leaves the page running."""

import json
import threading
import time
from pathlib import Path

import click
import httpx

from service import config
from service.cli.asking import Asker
from service.cli.following import printer
from service.cli.ports import first_free
from service.cli.serve import LOOK_S, prepare
from service.client import Client
from service.client.tls import verify
from service.config import Settings

EXAMPLE = Path(__file__).resolve().parents[2] / "static" / "examples" / "heat-pumps.json"
READY_WITHIN_S = 60.0
ACCEPT_AFTER_S = 5.0  # where there is no terminal to answer in


@click.command()
@click.option("--data", default="var/demo", show_default=True, help="Folder for the database.")
@click.option("--port", default=8000, show_default=True, help="The first free one from here on.")
def demo(data: str, port: int) -> None:
    """Run the example mission on the embedded model: no key, nothing to set up.

    The mission asks for a review: answer here or in the page. Ctrl-C stops all that was started.
    """
    port = first_free(port)
    url = f"http://127.0.0.1:{port}"
    log = Path(data) / "longline.log"
    processes = prepare(_settings(data, port), _environment(data, port), log)
    processes.stop_on_signals()
    click.echo(f"Starting. The server's and the worker's own log: {log}")
    threading.Thread(target=_show, args=(url,), daemon=True).start()
    while not processes.stopping:
        processes.look()
        time.sleep(LOOK_S)
    click.echo("\nstopping …")
    processes.stop()


def _settings(data: str, port: int) -> Settings:
    return Settings(
        data=Path(data),
        database_url=None,
        host="127.0.0.1",
        port=port,
        model=config.LOCAL_MODEL,
    )


def _environment(data: str, port: int) -> dict[str, str]:
    """What the processes get: the embedded defaults, whatever the user's environment says."""
    return config.environment(
        DATABASE_URL=None,
        PORT=None,
        LONGLINE_DATA=str(Path(data).absolute()),
        LONGLINE_HOST="127.0.0.1",
        LONGLINE_PORT=str(port),
        LONGLINE_MODEL=config.LOCAL_MODEL,
    )


def _show(url: str) -> None:
    """Run the example once the server is there, and follow it to its end."""
    _wait_until_ready(url)
    with Client(url) as client:
        mission = client.create(json.loads(EXAMPLE.read_text()))
        click.secho(f"\nThe page:  {url}/m/{mission['id']}\n", bold=True)
        _follow(client, mission["id"])
    click.secho(f"\nThe page stays at {url} until you press Ctrl-C.", bold=True)


def _follow(client: Client, mission_id: int) -> None:
    shown = printer()
    url = client.url
    asker = Asker(lambda: Client(url), shown, accept_after_s=ACCEPT_AFTER_S)
    for event in client.follow(mission_id):
        shown.show(event)
        asker.see(event)
    shown.close()


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", verify=verify(url)).is_success:
                return
        except httpx.TransportError:
            pass  # it is still starting
        time.sleep(LOOK_S)
    raise click.ClickException(f"{url} did not come up within {READY_WITHIN_S:g} s")
