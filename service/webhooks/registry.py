"""Which webhooks there are: made, listed, removed. A secret is shown once, to who makes it."""

import base64
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from models import deliveries, webhooks
from service import clock
from service.clock import rfc3339, rfc3339_or_none
from service.errors import Problem
from service.events import log
from service.missions import queries

SECRET_PREFIX = "whsec_"  # noqa: S105 (as Standard Webhooks has it)
WEBHOOKS_MAX = 100  # of a workspace


def create(
    conn: Connection,
    workspace_id: int,
    url: str,
    kinds: Sequence[str],
    *,
    mission_id: int | None = None,
) -> dict[str, Any]:
    """Make one, for events from now on; of a mission, for all of its events. Raises Problem.

    Returns it with its `secret`, which nothing tells again.
    """
    if mission_id is not None:
        queries.require(conn, workspace_id, [mission_id])
    if len(listed(conn, workspace_id)) >= WEBHOOKS_MAX:
        raise Problem("invalid", f"A workspace may have {WEBHOOKS_MAX} webhooks.")
    current = log.head(conn, workspace_id)
    values = {
        "workspace_id": workspace_id,
        "mission_id": mission_id,
        "url": url,
        "secret": SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode(),
        "kinds": ",".join(kinds),
        "after": current.head if mission_id is None else current.oldest - 1,
        "created_ms": clock.now_ms(),
    }
    row = conn.execute(insert(webhooks).values(values).returning(webhooks)).one()
    return {**_view(row), "secret": row.secret}


def listed(conn: Connection, workspace_id: int) -> list[dict[str, Any]]:
    query = select(webhooks).where(webhooks.c.workspace_id == workspace_id)
    return [_view(row) for row in conn.execute(query.order_by(webhooks.c.id))]


def remove(conn: Connection, workspace_id: int, webhook_id: int) -> None:
    """Forget one and its deliveries. Raises Problem not_found."""
    require(conn, workspace_id, webhook_id)
    conn.execute(delete(deliveries).where(deliveries.c.webhook_id == webhook_id))
    conn.execute(delete(webhooks).where(webhooks.c.id == webhook_id))


def disable(conn: Connection, webhook_id: int) -> None:
    """Send nothing more: the receiver has said that it is gone."""
    this = webhooks.c.id == webhook_id
    conn.execute(update(webhooks).where(this).values(disabled_ms=clock.now_ms()))


def require(conn: Connection, workspace_id: int, webhook_id: int) -> None:
    found = select(webhooks.c.id).where(
        webhooks.c.id == webhook_id, webhooks.c.workspace_id == workspace_id
    )
    if conn.execute(found).first() is None:
        raise Problem("not_found", f"There is no webhook {webhook_id}.")


def _view(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "mission": row.mission_id,
        "url": row.url,
        "kinds": row.kinds.split(","),
        "after": row.after,
        "created_at": rfc3339(row.created_ms),
        "disabled_at": rfc3339_or_none(row.disabled_ms),
    }
