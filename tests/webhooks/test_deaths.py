"""kill -9 of the sender at every step of its work, on each database: each event arrives, none is lost."""

from sqlalchemy import delete, func, select, update

from models import deliveries as rows
from models import events, webhooks
from service.config import Settings
from service.db import Database
from service.webhooks import registry
from tests.contract import given as the
from tests.contract.conftest import _servers, db, server, settings
from tests.contract.processes import started
from tests.processes import until
from tests.webhooks import mortal
from tests.webhooks.conftest import Receiver, is_signed

__all__ = ["_servers", "db", "server", "settings"]

NEVER = -1
STEPS_AT_LEAST = 18
STEPS_AT_MOST = 100  # beyond it a sender dies of nothing that this test knows


def delivered(db: Database) -> int:
    with db.reading() as conn:
        count = select(func.count()).where(rows.c.status == "delivered")
        return int(conn.execute(count).scalar_one())


def begin_again(db: Database, after: int) -> None:
    """As if nothing had been planned yet."""
    with db.transaction() as conn:
        conn.execute(delete(rows))
        conn.execute(update(webhooks).values(after=after))


def release(db: Database) -> None:
    """Let what a killed sender had taken be due at once, instead of in a minute."""
    with db.transaction() as conn:
        conn.execute(update(rows).where(rows.c.status == "pending").values(next_ms=0))


def test_a_sender_killed_at_any_step_loses_no_event(
    db: Database, settings: Settings, receiver: Receiver
) -> None:
    allowing = settings.model_copy(update={"webhook_hosts": receiver.host})
    with db.transaction() as conn:
        made = registry.create(conn, the.WORKSPACE, f"http://{receiver.host}/", ["STATUS"])
    the.running(db)  # two events of STATUS: it was queued, and it runs
    with db.reading() as conn:
        chosen = select(events.c.seq).where(events.c.kind == "STATUS")
        wanted = set(conn.execute(chosen).scalars())
    assert len(wanted) == 2
    steps = 0

    for step in range(STEPS_AT_MOST):
        begin_again(db, made["after"])
        receiver.got.clear()
        with started(mortal.send, allowing, step) as (dying, _):
            until(lambda: not dying.is_alive() or delivered(db) == 2, within_s=120, what="death")
        if delivered(db) == 2:
            break  # it had done all of it before its step came
        steps += 1
        release(db)
        with started(mortal.send, allowing, NEVER):
            until(lambda: delivered(db) == 2, within_s=120, what="deliveries behind the death")
        assert {one["headers"]["webhook-id"] for one in receiver.got} == {
            f"msg_{made['id']}_{seq}" for seq in wanted
        }, step
        assert receiver.seqs() == wanted, step
        assert all(is_signed(one, made["secret"]) for one in receiver.got)
    assert STEPS_AT_LEAST <= steps < STEPS_AT_MOST
