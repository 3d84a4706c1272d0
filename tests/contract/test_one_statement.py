"""A transaction of one statement: as good as any other, and on PostgreSQL two round trips shorter."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from service import schema
from service.db import UNAVAILABLE, Database, reason
from service.db.bell import RING
from service.errors import LeaseLost
from service.events import log
from tests.contract import given as the
from tests.contract.given import WORKSPACE, delta


def numbers(db: Database) -> list[int]:
    return [event["seq"] for event in the.events(db)]


def upto(count: int) -> list[int]:
    return list(range(1, count + 1))


def newest(db: Database) -> int:
    with db.reading() as conn:
        return log.head(conn, WORKSPACE).head


def test_an_append_may_be_a_transaction_by_itself(db):
    claimed = the.running(db)
    before = newest(db)
    with db.statement() as conn:
        appended = log.append(conn, claimed.mission_id, [delta()] * 3, fence=claimed.fence)
    assert (appended.first_seq, appended.last_seq) == (before + 1, before + 3)
    assert numbers(db) == upto(before + 3)
    lost = log.Fence(claimed.fence.attempt + 1, claimed.fence.owner)
    with pytest.raises(LeaseLost), db.statement() as conn:
        log.append(conn, claimed.mission_id, [delta()], fence=lost)
    assert newest(db) == before + 3


@pytest.fixture(params=["read committed", "repeatable read"])
def of_isolation(request, settings, db) -> Iterator[Database]:
    """On a server whose administrator has set a default."""
    if db.is_sqlite:
        yield db
        return
    this = f'ALTER DATABASE "{db.url.database}"'
    with db.transaction() as conn:
        conn.exec_driver_sql(f"{this} SET default_transaction_isolation = '{request.param}'")
    made = Database(settings)
    yield made
    made.close()
    with db.transaction() as conn:
        conn.exec_driver_sql(f"{this} RESET default_transaction_isolation")


def test_appends_by_themselves_wait_for_each_other(of_isolation):
    mission_id = the.make_mission(of_isolation)
    threads = [
        threading.Thread(target=append_alone, args=(of_isolation, mission_id)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(of_isolation) == upto(1 + 4 * 20)


def append_alone(db: Database, mission_id: int) -> None:
    for _ in range(20):
        with db.statement() as conn:
            log.append(conn, mission_id, [delta()], fence=None)


def test_one_connection_serves_readings_and_transactions_in_turn(settings, db):
    mission_id = the.make_mission(db)
    alone = Database(settings, pool_size=1)
    for _ in range(2):
        the.append(alone, mission_id, delta())
        with pytest.raises(DBAPIError), alone.reading() as conn:
            conn.exec_driver_sql("UPDATE workspaces SET head = 99")
    alone.close()
    assert newest(db) == 3


def test_a_server_that_cannot_append_yet_is_one_that_is_not_migrated(db):
    if db.is_sqlite:
        pytest.skip("there it takes no function")
    claimed = the.running(db)
    schema.downgrade(db, "0001")
    try:
        with pytest.raises(UNAVAILABLE) as failed, db.statement() as conn:
            log.append(conn, claimed.mission_id, [delta()], fence=claimed.fence)
        assert "longline migrate" in reason(failed.value)
    finally:
        schema.upgrade(db)
    the.record(db, claimed, delta())
    assert numbers(db) == upto(3)


@pytest.mark.parametrize("news", [True, False])
def test_of_what_nobody_waits_for_nobody_is_told(db, settings, news):
    if db.is_sqlite:
        pytest.skip("there the bell is a file, and costs nothing")
    mine, seen = Database(settings), []
    event.listen(
        mine.engine, "before_cursor_execute", lambda _c, _cursor, sql, *_: seen.append(sql)
    )
    with mine.statement(news=news) as conn:
        conn.exec_driver_sql("UPDATE workers SET seen_ms = 0")
    mine.close()  # what is owed is told at the latest then
    assert (RING in seen) is news
