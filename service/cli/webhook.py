"""`longline webhook`: where events are sent to, and what came of it. `longline sender`: the process."""

from contextlib import AbstractContextManager, nullcontext

import click

from service import logs
from service.cli.server import as_json, speaks_to_server
from service.cli.settings import BadSettings, settings
from service.cli.showing import print_json, print_table
from service.client import Client
from service.config import Settings


@click.group()
def webhook() -> None:
    """Webhooks: have events sent to a server of yours. Needs a token with the scope admin."""


@webhook.command()
@click.argument("address")
@click.option("--kind", "kinds", help="Comma-separated; STATUS,HUMAN_INPUT_REQUEST without.")
@click.option("--mission", type=int, help="Only this mission's events, from its first on.")
@speaks_to_server
def add(client: Client, address: str, kinds: str | None, mission: int | None) -> None:
    """Send events to ADDRESS from now on; prints the webhook with its secret, this once."""
    given = {"kinds": kinds.split(",") if kinds else None, "mission": mission}
    body = {"url": address} | {name: value for name, value in given.items() if value is not None}
    print_json(client.send("POST", "/webhooks", body))


@webhook.command("list")
@as_json
@speaks_to_server
def list_all(client: Client, json: bool) -> None:
    """List webhooks."""
    found = client.get("/webhooks")["webhooks"]
    if json:
        print_json(found)
        return
    rows = [
        [w["id"], w["mission"], ",".join(w["kinds"]), w["url"], w["disabled_at"]] for w in found
    ]
    print_table(("id", "mission", "kinds", "url", "disabled"), rows)


@webhook.command()
@click.argument("webhook_id", metavar="ID", type=int)
@speaks_to_server
def remove(client: Client, webhook_id: int) -> None:
    """Forget a webhook and its deliveries."""
    client.send("DELETE", f"/webhooks/{webhook_id}")


@webhook.command()
@click.argument("webhook_id", metavar="ID", type=int)
@click.option("--status", type=click.Choice(["pending", "delivered", "failed"]), help="Only these.")
@as_json
@speaks_to_server
def deliveries(client: Client, webhook_id: int, status: str | None, json: bool) -> None:
    """List a webhook's deliveries, newest first."""
    found = client.get(f"/webhooks/{webhook_id}/deliveries", status=status)["deliveries"]
    if json:
        print_json(found)
        return
    rows = [[d["id"], d["seq"], d["status"], d["tries"], d["response"], d["error"]] for d in found]
    print_table(("id", "event", "status", "tries", "response", "error"), rows)


@webhook.command()
@click.argument("delivery_id", metavar="DELIVERY", type=int)
@speaks_to_server
def redeliver(client: Client, delivery_id: int) -> None:
    """Send a delivery once more."""
    print_json(client.send("POST", f"/deliveries/{delivery_id}/redeliver"))


@click.command()
def sender() -> None:
    """Send webhooks. `serve` has one of these; start it beside `web` and `worker` elsewhere.

    Any number may run. One that is killed has lost nothing: another one tries again. With
    OTEL_EXPORTER_OTLP_ENDPOINT it also sends each mission that has ended as a trace.
    """
    found = settings()
    logs.configure()
    try:
        from service.webhooks.sender import Sender  # other commands start without it
    except ImportError as error:
        raise BadSettings(f"{error.name} is missing: pip install 'longline'") from None
    with _tracing(found):
        Sender(found).run()


def _tracing(found: Settings) -> AbstractContextManager[None]:
    if found.otlp_endpoint is None:
        return nullcontext()
    try:
        from service.tracing.beside import tracing  # its library is an extra
    except ImportError as error:
        raise BadSettings(f"{error.name} is missing: pip install 'longline[otel]'") from None
    return tracing(found)
