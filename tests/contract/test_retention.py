"""Retention: what is old goes, what is young or still running stays, and nobody is held up."""

import threading

import pytest
from sqlalchemy import select

from models import missions
from service import clock
from service.errors import Problem
from service.feed import page
from service.feed.cursor import FeedQuery, Filter
from service.missions import retention
from tests.contract import given as the

DAY_S = 86_400.0


def prune(db, *, older_than_s=DAY_S):
    before_ms = clock.now_ms() - int(older_than_s * 1000)
    deleted = list(retention.prune(db, before_ms=before_ms))
    return sum(events for events, _ in deleted), sum(gone for _, gone in deleted)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 10)


def finished(db, count=25):
    claimed = the.running(db)
    the.ask(db, claimed)
    the.finish_task(db, claimed, "research")
    the.record(db, claimed, *[the.delta()] * count)
    the.complete(db, claimed)
    return claimed.mission_id


def ids(db):
    with db.reading() as conn:
        return list(conn.execute(select(missions.c.id).order_by(missions.c.id)).scalars())


def test_old_events_and_missions_go_and_young_ones_stay(db, stopped_clock):
    finished(db)
    before = len(the.events(db))
    stopped_clock.advance(2 * DAY_S)
    young = finished(db)
    assert prune(db) == (before, 1)
    assert ids(db) == [young]
    assert the.events(db)[0]["seq"] == before + 1
    assert the.follows_its_log(db, young)


def test_numbers_go_on_behind_what_is_gone(db, stopped_clock):
    finished(db)
    newest = the.events(db)[-1]["seq"]
    stopped_clock.advance(2 * DAY_S)
    prune(db)
    assert the.events(db) == []
    the.make_mission(db)
    assert the.events(db)[0]["seq"] == newest + 1


def test_a_mission_that_still_runs_keeps_its_row(db, stopped_clock):
    claimed = the.running(db)
    the.record(db, claimed, *[the.delta()] * 15)
    stopped_clock.advance(2 * DAY_S)
    assert prune(db) == (17, 0)
    the.complete(db, claimed)
    assert the.status_of(db, claimed) == "completed"


def test_a_cursor_in_what_is_gone_is_told_so(db, stopped_clock):
    finished(db)
    stopped_clock.advance(2 * DAY_S)
    prune(db)
    with pytest.raises(Problem) as refused:
        page.first(db, FeedQuery(Filter(the.WORKSPACE), 3, None, 0.0))
    assert refused.value.code == "cursor_expired"


def test_a_retry_outlives_what_it_was_made_from(db, stopped_clock):
    old = finished(db)
    with db.transaction() as conn:
        conn.execute(missions.update().where(missions.c.id == old).values(retry_of=None))
    stopped_clock.advance(2 * DAY_S)
    retry = the.make_mission(db)
    with db.transaction() as conn:
        conn.execute(missions.update().where(missions.c.id == retry).values(retry_of=old))
    prune(db)
    assert the.mission(db, retry)["retry_of"] is None


def test_nothing_is_held_while_rows_are_deleted(db, stopped_clock):
    """Between two batches, and while one is through, an append goes ahead."""
    finished(db, count=60)
    stopped_clock.advance(2 * DAY_S)
    other = the.make_mission(db)
    batches = retention.prune(db, before_ms=clock.now_ms() - 1000)
    next(batches)
    appended = threading.Thread(target=the.append, args=(db, other, the.delta()))
    appended.start()
    appended.join(10)
    assert not appended.is_alive()
    list(batches)
    assert [event["mission"] for event in the.events(db)] == [other, other]


def test_pruning_again_finds_nothing(db, stopped_clock):
    finished(db)
    stopped_clock.advance(2 * DAY_S)
    prune(db)
    assert prune(db) == (0, 0)
