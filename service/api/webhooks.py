"""Webhooks over HTTP: made, listed, removed, their deliveries seen and sent again. All of it admin's."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from service.api.access import allow
from service.api.answers import json_answer, that_fit
from service.api.parsing import arguments, decode, fit, json_body, no_body, single
from service.api.services import services
from service.errors import Problem
from service.events.kinds import Kind
from service.feed.cursor import integer, misfit
from service.missions.spec import Strict
from service.webhooks import queue, registry
from service.webhooks.form import is_allowed_form

KINDS_DEFAULT = [Kind.STATUS, Kind.HUMAN_INPUT_REQUEST]
KindName = Annotated[Kind, Field(strict=False)]  # JSON has strings, not members
STATUSES = ("pending", "delivered", "failed")

blueprint = Blueprint("webhooks", __name__)


class WebhookBody(Strict):
    """What a webhook is made from."""

    url: Annotated[str, Field(max_length=2000)]
    kinds: Annotated[list[KindName], Field(min_length=1)] = KINDS_DEFAULT
    mission: int | None = None


@blueprint.post("/webhooks")
def create() -> Response:
    """A new webhook, with the secret that signs its deliveries: told this once."""
    access = allow("admin")
    arguments()
    body = fit(WebhookBody, decode(json_body()))
    if not is_allowed_form(body.url, services().settings.private_webhook_hosts):
        detail = "must be an https address without a password"
        raise Problem("invalid", f"url {detail}", errors=[{"pointer": "/url", "detail": detail}])
    kinds = list(dict.fromkeys(body.kinds))
    with services().db.transaction() as conn:
        made = registry.create(conn, access.workspace_id, body.url, kinds, mission_id=body.mission)
    return json_answer(made, 201)


@blueprint.get("/webhooks")
def all_of_them() -> Response:
    access = allow("admin")
    arguments()
    with services().db.reading() as conn:
        return json_answer({"webhooks": registry.listed(conn, access.workspace_id)})


@blueprint.delete("/webhooks/<id:webhook_id>")
def remove(webhook_id: int) -> Response:
    """Forget a webhook and its deliveries."""
    access = allow("admin")
    arguments()
    no_body()
    with services().db.transaction() as conn:
        registry.remove(conn, access.workspace_id, webhook_id)
    return json_answer({"removed": webhook_id})


@blueprint.get("/webhooks/<id:webhook_id>/deliveries")
def deliveries(webhook_id: int) -> Response:
    """What was sent, and what came of it, newest first."""
    access = allow("admin")
    given = single("status", "limit")
    limit = integer(given, "limit", 50, low=1, high=200)
    status = given.get("status")
    if status not in (None, *STATUSES):
        raise misfit("status", f"must be one of {', '.join(STATUSES)}")
    with services().db.reading() as conn:
        registry.require(conn, access.workspace_id, webhook_id)
        found = queue.history(conn, webhook_id, limit=limit, status=status)
    return json_answer({"deliveries": that_fit(found)})


@blueprint.post("/deliveries/<id:delivery_id>/redeliver")
def redeliver(delivery_id: int) -> Response:
    """Send one again, under the same id, with all its tries."""
    access = allow("admin")
    arguments()
    no_body()
    with services().db.transaction() as conn:
        return json_answer(queue.redeliver(conn, access.workspace_id, delivery_id))
