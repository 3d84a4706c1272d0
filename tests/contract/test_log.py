"""The event log: numbers without holes, fences, order, and reading after a cursor."""

import contextlib
import random
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from models import events as events_table
from models import missions
from service.db import Database
from service.errors import LeaseLost
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.missions import leases
from tests.contract import given as the
from tests.contract.given import WORKSPACE, delta


class Undone(Exception):
    """Rolls a transaction back."""


def append_and_roll_back(db: Database, mission_id: int, *events: NewEvent) -> None:
    with contextlib.suppress(Undone), db.transaction() as conn:
        log.append(conn, mission_id, events, fence=None)
        raise Undone


def numbers(events: list[dict[str, Any]], name: str = "seq") -> list[int]:
    return [event[name] for event in events]


def upto(count: int) -> list[int]:
    return list(range(1, count + 1))


def head_of(db: Database, workspace_id: int = WORKSPACE) -> log.Head:
    with db.reading() as conn:
        return log.head(conn, workspace_id)


# Numbers and order


def test_numbers_have_no_holes_whatever_is_rolled_back(db):
    """Seeded, so that every run takes the same 150 steps."""
    chance = random.Random(7)
    ids = [the.make_mission(db) for _ in range(3)]
    for _ in range(150):
        batch = [delta()] * chance.randint(1, 5)
        write = append_and_roll_back if chance.random() < 0.3 else the.append
        write(db, chance.choice(ids), *batch)
    events = the.events(db)
    assert numbers(events) == upto(len(events))
    for mission_id in ids:
        own = the.events_of(db, mission_id)
        assert numbers(own, "mseq") == upto(len(own))
    assert head_of(db).head == len(events) > 200


def test_a_batch_keeps_its_order(db):
    mission_id = the.make_mission(db)
    appended = the.append(db, mission_id, *[delta(str(n)) for n in range(50)])
    events = the.events_of(db, mission_id)[1:]
    assert [event["data"]["delta"] for event in events] == [str(n) for n in range(50)]
    assert numbers(events) == list(range(appended.first_seq, appended.last_seq + 1))


def test_appends_in_one_transaction_follow_each_other(db):
    one, other = the.make_mission(db), the.make_mission(db)
    with db.transaction() as conn:
        first = log.append(conn, one, [delta(), delta()], fence=None)
        second = log.append(conn, other, [delta()], fence=None)
    assert second.first_seq == first.last_seq + 1
    assert numbers(the.events(db)) == upto(5)


def test_workspaces_count_by_themselves(db):
    elsewhere = the.make_workspace(db, "elsewhere")
    here, there = the.make_mission(db), the.make_mission(db, elsewhere)
    the.append(db, here, delta(), delta())
    the.append(db, there, delta())
    assert numbers(the.events(db)) == upto(3)
    assert numbers(the.events(db, elsewhere)) == upto(2)
    with db.reading() as conn:
        assert log.heads(conn, [WORKSPACE, elsewhere]) == {WORKSPACE: 3, elsewhere: 2}


def test_next_seq_is_the_number_that_the_next_append_gets(db):
    mission_id = the.make_mission(db)
    with db.transaction() as conn:
        expected = log.next_seq(conn, WORKSPACE)
        assert log.append(conn, mission_id, [delta()], fence=None).first_seq == expected


def test_an_event_tells_its_attempt(db):
    claimed = the.running(db)
    the.lose(db, claimed)
    again = the.claim(db)
    the.record(db, again, delta())
    assert the.events_of(db, claimed.mission_id)[-1]["attempt"] == 2


# Fences


@pytest.mark.parametrize(
    "fence", [log.Fence(0, "worker-1"), log.Fence(2, "worker-1"), log.Fence(1, "worker-2")]
)
def test_only_the_attempt_and_the_owner_that_hold_the_lease_may_write(db, fence):
    claimed = the.running(db)
    before = the.events(db)
    with pytest.raises(LeaseLost):
        the.append(db, claimed.mission_id, delta(), fence=fence)
    the.append(db, claimed.mission_id, delta(), fence=claimed.fence)
    assert numbers(the.events(db)) == upto(len(before) + 1)


def test_a_lost_lease_undoes_what_its_transaction_wrote(db):
    claimed, other = the.running(db), the.make_mission(db)
    before = the.events(db)
    with contextlib.suppress(LeaseLost), db.transaction() as conn:
        log.append(conn, other, [delta()], fence=None)
        log.append(conn, claimed.mission_id, [delta()], fence=log.Fence(9, "worker-1"))
    assert the.events(db) == before
    assert head_of(db).head == len(before)


def test_a_mission_that_does_not_exist_takes_no_events(db):
    with pytest.raises(LeaseLost):
        the.append(db, 999, delta())
    assert head_of(db).head == 0


@pytest.mark.parametrize("end", [the.complete, the.fail, the.end_cancelled])
def test_nothing_comes_after_the_terminal_event(db, end):
    claimed = the.running(db)
    end(db, claimed)
    before = the.events(db)
    for fence in (None, claimed.fence):
        with pytest.raises(LeaseLost):
            the.append(db, claimed.mission_id, delta(), fence=fence)
    assert the.events(db) == before
    assert before[-1]["name"] in ("mission.completed", "mission.failed", "mission.cancelled")


# Reading


def test_the_head_of_an_empty_log_is_zero(db):
    head = head_of(db)
    assert (head.head, head.oldest) == (0, 1)
    assert head.feed


def test_two_logs_never_have_the_same_name(db):
    elsewhere = the.make_workspace(db, "elsewhere")
    assert head_of(db).feed != head_of(db, elsewhere).feed


def test_reading_begins_after_the_cursor_and_ends_at_the_head_that_was_read(db):
    the.append(db, the.make_mission(db), *[delta()] * 9)
    with db.reading() as conn:
        assert [seq for seq, _ in log.read(conn, WORKSPACE, 3, 8)] == [4, 5, 6, 7, 8]
        assert [seq for seq, _ in log.read(conn, WORKSPACE, 3, 8, limit=2)] == [4, 5]
        assert list(log.read(conn, WORKSPACE, 10, 10)) == []


def test_a_reader_sees_one_moment_while_others_write(db):
    mission_id = the.make_mission(db)
    with db.reading() as conn:
        before = log.head(conn, WORKSPACE).head
        the.append(db, mission_id, delta())
        assert log.head(conn, WORKSPACE).head == before
        assert [seq for seq, _ in log.read(conn, WORKSPACE, 0, before + 1)] == upto(before)
    assert head_of(db).head == before + 1


def test_nothing_can_be_written_in_a_reading(db):
    mission_id = the.make_mission(db)
    with pytest.raises(DBAPIError), db.reading() as conn:
        conn.exec_driver_sql("UPDATE workspaces SET head = 99")
    the.append(db, mission_id, delta())
    assert head_of(db).head == 2


@pytest.fixture
def mixed(db) -> tuple[Database, int, int]:
    """Two missions and a log of 1 2: created, 3 5 7: deltas of the first, 4 6 8: lines of the second."""
    one, other = the.make_mission(db), the.make_mission(db)
    for _ in range(3):
        the.append(db, one, delta())
        the.append(db, other, NewEvent(Kind.LOG, "stdout", {"line": "x"}))
    return db, one, other


def test_a_filter_by_mission_leaves_out_the_others(mixed):
    db, one, other = mixed
    assert numbers(the.events(db, mission_ids=[one])) == [1, 3, 5, 7]
    assert numbers(the.events(db, mission_ids=[one, other])) == upto(8)


def test_a_filter_by_kind_takes_or_leaves_out(mixed):
    db, one, other = mixed
    assert numbers(the.events(db, kinds=["STREAM"])) == [3, 5, 7]
    assert numbers(the.events(db, kinds=["STREAM", "STATUS"])) == [1, 2, 3, 5, 7]
    assert numbers(the.events(db, without_kinds=["STREAM", "LOG"])) == [1, 2]
    assert numbers(the.events(db, mission_ids=[other], without_kinds=["STATUS"])) == [4, 6, 8]
    assert numbers(the.events(db, mission_ids=[one], kinds=["LOG"])) == []


def test_the_limit_counts_what_the_filter_lets_through(mixed):
    db, _one, _other = mixed
    assert numbers(the.events(db, kinds=["LOG"], limit=2)) == [4, 6]


def test_another_workspace_is_never_read(mixed):
    db, one, _other = mixed
    elsewhere = the.make_workspace(db, "elsewhere")
    the.append(db, the.make_mission(db, elsewhere), *[delta()] * 9)
    assert the.events(db, elsewhere, mission_ids=[one]) == []


def test_the_newest_events_lie_behind_their_cursor(mixed):
    db, one, other = mixed
    with db.reading() as conn:
        for count in (0, 1, 3, 8, 100):
            assert log.newest_before(conn, WORKSPACE, count, None) == max(0, 8 - count)
        assert log.newest_before(conn, WORKSPACE, 2, one) == 3
        assert log.newest_before(conn, WORKSPACE, 0, other) == 8
        assert log.newest_before(conn, WORKSPACE, 100, one) == 0


def test_following_tells_of_each_event_whose_it_is(mixed):
    db, one, other = mixed
    with db.reading() as conn:
        rows = list(log.following(conn, WORKSPACE, 2, 8, limit=100))
        assert [row.seq for row in rows] == [3, 4, 5, 6, 7, 8]
        assert {(row.mission, row.kind) for row in rows} == {(one, "STREAM"), (other, "LOG")}
        assert [row.text for row in rows] == [text for _, text in log.read(conn, WORKSPACE, 2, 8)]
        assert list(log.following(conn, WORKSPACE, 8, 8, limit=100)) == []
        assert [row.seq for row in log.following(conn, WORKSPACE, 2, 8, limit=2)] == [3, 4]


# The counters in the rows


def test_numbers_of_deleted_events_are_not_given_again(db):
    mission_id = the.make_mission(db)
    the.append(db, mission_id, delta(), delta())
    with db.transaction() as conn:
        conn.execute(events_table.delete().where(events_table.c.seq <= 2))
    assert the.append(db, mission_id, delta()).first_seq == 4
    assert numbers(the.events(db)) == [3, 4]


def test_a_number_is_never_given_twice(db):
    """The table itself refuses it, should a writer ever leave out the counters."""
    mission_id = the.make_mission(db)
    with db.reading() as conn:
        row = conn.execute(select(events_table)).mappings().one()
    with pytest.raises(IntegrityError), db.transaction() as conn:
        conn.execute(insert(events_table).values(dict(row) | {"mission_id": mission_id + 1}))


def test_the_missions_counter_is_what_its_events_have_reached(db):
    claimed = the.running(db)
    the.record(db, claimed, delta(), delta())
    with db.reading() as conn:
        mseq = conn.execute(select(missions.c.mseq)).scalar_one()
        [held] = leases.held_by(conn, "worker-1")
    assert held.fence == claimed.fence
    assert mseq == len(the.events_of(db, claimed.mission_id)) == 4
