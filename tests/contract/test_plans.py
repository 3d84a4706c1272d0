"""How the database finds rows: no query of the API reads the events from end to end."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from service.events import log
from service.feed import page
from service.feed.cursor import FeedQuery, Filter
from service.missions import commands, leases, queries, queue
from service.missions.queue import Limits
from service.requests import answering, view
from service.security.tokens import Access
from tests.contract import given as the
from tests.contract.given import WORKSPACE

MISSIONS, EVENTS = 40, 50


@pytest.fixture
def filled(db):
    """Enough rows, in two workspaces, for a planner to care how it reads them."""
    elsewhere = the.make_workspace(db, "elsewhere")
    for workspace_id in (WORKSPACE, elsewhere):
        for _ in range(MISSIONS):
            mission_id = the.make_mission(db, workspace_id)
            the.append(db, mission_id, *[the.delta()] * EVENTS)
    with db.engine.connect() as conn:
        conn.exec_driver_sql("ANALYZE")
        conn.commit()
    return db


def feed(db, wanted, after=None, newest=None):
    page.first(db, FeedQuery(wanted, after, newest, 0.0))


READS = {
    "all": lambda db: feed(db, Filter(WORKSPACE), after=1000),
    "from the start": lambda db: feed(db, Filter(WORKSPACE), after=0),
    "newest": lambda db: feed(db, Filter(WORKSPACE), newest=10),
    "one mission": lambda db: feed(db, Filter(WORKSPACE, mission=7), after=0),
    "newest of one": lambda db: feed(db, Filter(WORKSPACE, mission=7), newest=10),
    "some missions": lambda db: feed(db, Filter(WORKSPACE, missions=(3, 7)), after=0),
    "a kind": lambda db: feed(db, Filter(WORKSPACE, kinds=("STATUS",)), after=1500),
    "following": lambda db: with_conn(
        db, lambda c: list(log.following(c, WORKSPACE, 1990, 2000, limit=1000))
    ),
    "list": lambda db: with_conn(db, lambda c: queries.page(c, WORKSPACE, limit=50)),
    "list by status": lambda db: with_conn(
        db, lambda c: queries.page(c, WORKSPACE, limit=50, statuses=["running"])
    ),
    "inbox": lambda db: with_conn(
        db, lambda c: view.inbox(c, WORKSPACE, limit=50, statuses=["pending"])
    ),
    "due": lambda db: with_conn(db, answering.due),
    "doubtful leases": lambda db: with_conn(db, lambda c: leases.doubtful_leases(c, lease_s=30.0)),
    "anything to claim": lambda db: with_conn(db, queue.look),
}


def test_what_the_server_keeps_plans_of_stays_right_when_a_table_grows(db, monkeypatch):
    """Also where the plans were made for a few rows, of which a planner reads all."""
    if db.is_sqlite:
        pytest.skip("there a statement is compiled by what indexes there are")
    mission_id = the.make_mission(db)
    with db.engine.connect() as conn:
        conn.exec_driver_sql("ANALYZE")
        conn.commit()
    caller = Access(WORKSPACE, frozenset(), "Ann", changes=0)
    with db.transaction() as conn:
        monkeypatch.setattr(db, "at_once", lambda *told: conn.exec_driver_sql(*told).all())
        for _ in range(10):  # the first few times, a plan may be made for these very values
            assert commands.create_at_once(
                db, caller, the.spec(), job=None, idempotency=None, most=100
            )
            assert queue.take(db, "worker-1", 30_000, Limits(overall=100, per_workspace=100))
            log.append(conn, mission_id, [the.delta()], fence=None)
            list(log.news(conn, {WORKSPACE: 0}, limit=10)[WORKSPACE].events)
        scanned = conn.exec_driver_sql(
            "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE seq_scan > 0"
        )
        assert scanned.all() == []


def with_conn(db, read):
    with db.reading() as conn:
        read(conn)


@contextmanager
def recorded(db) -> Iterator[list[tuple[str, object]]]:
    """Each statement that is run meanwhile, with its parameters."""
    seen = []

    def note(statement, parameters=()):
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append((statement, parameters))

    if db.is_sqlite:  # by the driver: the hottest queries do not go through SQLAlchemy
        listeners = {
            "checkout": lambda driver, *_: driver.set_trace_callback(note),
            "checkin": lambda driver, *_: driver.set_trace_callback(None),
        }
    else:
        listeners = {
            "before_cursor_execute": lambda _c, _cursor, sql, values, *_: note(sql, values)
        }
    for name, listener in listeners.items():
        event.listen(db.engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners.items():
            event.remove(db.engine, name, listener)


def plan(db, statement, parameters) -> str:
    explain = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
    with db.reading() as conn:
        return "\n".join(str(row) for row in conn.exec_driver_sql(explain + statement, parameters))


def reads_all_events(db, statement, parameters) -> str | None:
    """The plan of a statement that does."""
    told = plan(db, statement, parameters)
    return told if re.search(r"Seq Scan on events|SCAN events(?! USING)", told) else None


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_no_query_reads_all_events(filled, read):
    with recorded(filled) as statements:
        read(filled)
    assert statements
    for statement, parameters in statements:
        assert not reads_all_events(filled, statement, parameters)
