"""Deliveries: made from the log by cursor, claimed when due, settled after a try. Sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from models import deliveries, webhooks
from service import clock
from service.clock import rfc3339, rfc3339_or_none
from service.errors import Problem
from service.events import log

PLAN_MAX = 500  # events that one transaction turns into deliveries
HELD_S = 60  # longer than a try takes; a sender that died in it has not sent for this long


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that the caller now has to try."""

    id: int
    webhook_id: int
    seq: int
    url: str
    secret: str
    body: str
    tries: int


def active(conn: Connection) -> Sequence[Row[Any]]:
    return conn.execute(select(webhooks).where(webhooks.c.disabled_ms.is_(None))).all()


def behind(conn: Connection) -> list[int]:
    """Webhooks whose cursor is not at the head of their log."""
    rows = active(conn)
    heads = log.heads(conn, {row.workspace_id for row in rows})
    return [row.id for row in rows if row.after < heads[row.workspace_id]]


def plan(conn: Connection, webhook_id: int) -> None:
    """Make deliveries of the next events, and move the cursor behind them: both, or neither."""
    this = select(webhooks).where(webhooks.c.id == webhook_id).with_for_update(key_share=True)
    hook = conn.execute(this).one_or_none()
    if hook is None:
        return
    current = log.head(conn, hook.workspace_id)
    after = max(hook.after, current.oldest - 1)
    read = list(
        log.read(
            conn,
            hook.workspace_id,
            after,
            current.head,
            limit=PLAN_MAX,
            mission_ids=[] if hook.mission_id is None else [hook.mission_id],
            kinds=hook.kinds.split(","),
        )
    )
    if read:
        conn.execute(insert(deliveries), [_row(webhook_id, seq, text) for seq, text in read])
    reached = read[-1][0] if len(read) == PLAN_MAX else current.head
    conn.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(after=reached))


def is_any_due(conn: Connection) -> bool:
    """Whether `claim` would find something. A read, for a look now and then."""
    return conn.execute(_due().limit(1)).first() is not None


def claim(conn: Connection, *, limit: int) -> list[Due]:
    """Deliveries that are due, oldest first, for the caller alone."""
    due = _due().order_by(deliveries.c.next_ms, deliveries.c.id).limit(limit)
    due = due.with_for_update(skip_locked=True, of=deliveries)
    ids = list(conn.execute(due).scalars())
    if not ids:
        return []
    these = deliveries.c.id.in_(ids)
    conn.execute(update(deliveries).where(these).values(next_ms=clock.now_ms() + HELD_S * 1000))
    rows = conn.execute(
        select(deliveries, webhooks.c.url, webhooks.c.secret)
        .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
        .where(these)
        .order_by(deliveries.c.id)
    )
    return [Due(r.id, r.webhook_id, r.seq, r.url, r.secret, r.body, r.tries) for r in rows]


def delivered(conn: Connection, due: Due, response: int) -> None:
    now = clock.now_ms()
    _settle(conn, due, status="delivered", response=response, error=None, delivered_ms=now)


def missed(
    conn: Connection, due: Due, *, response: int | None, error: str, again_in_s: float | None
) -> None:
    """A try that came to nothing. again_in_s: None when it was the last."""
    if again_in_s is None:
        _settle(conn, due, status="failed", response=response, error=error)
    else:
        at = clock.now_ms() + int(again_in_s * 1000)
        _settle(conn, due, response=response, error=error, next_ms=at)


def history(
    conn: Connection, webhook_id: int, *, limit: int, status: str | None
) -> list[dict[str, Any]]:
    """A webhook's deliveries, newest first."""
    query = select(deliveries).where(deliveries.c.webhook_id == webhook_id)
    if status is not None:
        query = query.where(deliveries.c.status == status)
    return [_view(row) for row in conn.execute(query.order_by(deliveries.c.id.desc()).limit(limit))]


def redeliver(conn: Connection, workspace_id: int, delivery_id: int) -> dict[str, Any]:
    """Make one due again, with all its tries. Raises Problem not_found."""
    own = (
        select(deliveries.c.id)
        .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
        .where(deliveries.c.id == delivery_id, webhooks.c.workspace_id == workspace_id)
    )
    if conn.execute(own).first() is None:
        raise Problem("not_found", f"There is no delivery {delivery_id}.")
    values = {"status": "pending", "tries": 0, "next_ms": clock.now_ms(), "error": None}
    this = deliveries.c.id == delivery_id
    return _view(
        conn.execute(update(deliveries).where(this).values(values).returning(deliveries)).one()
    )


def _due() -> Select[int]:
    return (
        select(deliveries.c.id)
        .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
        .where(
            deliveries.c.status == "pending",
            deliveries.c.next_ms <= clock.now_ms(),
            webhooks.c.disabled_ms.is_(None),
        )
    )


def _row(webhook_id: int, seq: int, event: str) -> dict[str, Any]:
    now = clock.now_ms()
    return {
        "webhook_id": webhook_id,
        "seq": seq,
        "body": f'{{"type":"longline.event","timestamp":"{rfc3339(now)}","data":{event}}}',
        "status": "pending",
        "next_ms": now,
        "created_ms": now,
    }


def _settle(conn: Connection, due: Due, **values: Any) -> None:
    this = (deliveries.c.id == due.id, deliveries.c.status == "pending")
    conn.execute(update(deliveries).where(*this).values(tries=due.tries + 1, **values))


def _view(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "webhook": row.webhook_id,
        "seq": row.seq,
        "status": row.status,
        "tries": row.tries,
        "response": row.response,
        "error": row.error,
        "created_at": rfc3339(row.created_ms),
        "delivered_at": rfc3339_or_none(row.delivered_ms),
        "next_at": rfc3339(row.next_ms) if row.status == "pending" else None,
    }
