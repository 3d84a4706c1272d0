"""The reaper: takes from the dead, not from the living, whatever anybody's clock says."""

import pytest

from service.dispatch.handover import ToWhoLooks
from service.missions import leases
from service.worker.reaper import Reaper
from tests.contract import given as the

RENEW_S = 5.0
DAY_S = 86_400.0


class Ticks:
    """A clock that only goes forward."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def reaper(db, ticks):
    return Reaper(db, ToWhoLooks(), lease_s=the.LEASE_S, renew_s=RENEW_S, monotonic=ticks)


def look_for(reaper, ticks, seconds, *, meanwhile=lambda: None):
    for _ in range(int(seconds)):
        meanwhile()
        reaper.recover_expired()
        ticks.now += 1


def renew(db, owner="worker-1"):
    with db.transaction() as conn:
        held = [lease.mission_id for lease in leases.held_by(conn, owner)]
        leases.renew(conn, owner, held, lease_s=the.LEASE_S)


def test_a_mission_whose_lease_ran_out_is_recovered(db, reaper, ticks, stopped_clock):
    claimed = the.running(db)
    stopped_clock.advance(the.LEASE_S + 1)
    look_for(reaper, ticks, 12)
    assert the.status_of(db, claimed) == "queued"
    assert the.names_of(db, claimed.mission_id)[-2:] == ["worker_lost", "mission.queued"]
    assert the.follows_its_log(db, claimed.mission_id)


def test_a_lease_that_holds_is_left_alone(db, reaper, ticks, stopped_clock):
    claimed = the.running(db)
    stopped_clock.advance(the.LEASE_S - 1)
    look_for(reaper, ticks, 12)
    assert the.status_of(db, claimed) == "running"


def test_a_worker_whose_clock_was_set_back_keeps_what_it_renews(db, reaper, ticks, stopped_clock):
    claimed = the.running(db)

    def renew_by_another_clock():
        stopped_clock.advance(-DAY_S + 1)
        renew(db)
        stopped_clock.advance(DAY_S)

    look_for(reaper, ticks, 60, meanwhile=renew_by_another_clock)
    assert the.status_of(db, claimed) == "running"


def test_a_dead_workers_mission_is_recovered_though_our_clock_was_set_back(
    db, reaper, ticks, stopped_clock
):
    claimed = the.running(db)
    stopped_clock.advance(-DAY_S)
    look_for(reaper, ticks, the.LEASE_S + 2)
    assert the.status_of(db, claimed) == "queued"


def test_a_lease_that_was_renewed_after_it_was_read_is_not_taken(db, stopped_clock):
    claimed = the.running(db)
    stopped_clock.advance(the.LEASE_S + 1)
    with db.reading() as conn:
        [lease] = leases.doubtful_leases(conn, lease_s=the.LEASE_S)
    renew(db)
    with db.transaction() as conn:
        assert not leases.lose_lease(conn, lease, reason="it ran out")
    assert the.status_of(db, claimed) == "running"


def test_questions_of_several_missions_expire_together(db, reaper, stopped_clock):
    claims = [the.running(db) for _ in range(3)]
    for claimed in claims:
        the.ask(db, claimed)
    stopped_clock.advance(301)
    reaper.expire_requests()
    assert [the.status_of(db, claimed) for claimed in claims] == ["running"] * 3
    for claimed in claims:
        assert [event["name"] for event in the.responses(db, claimed)] == ["expired"]


def test_a_turn_does_all_that_there_is_to_do(db, reaper, ticks, stopped_clock, tmp_path):
    lost, asking = the.running(db), the.running(db, "worker-2")
    the.ask(db, asking)
    for _ in range(12):
        reaper.turn(tmp_path)
        ticks.now += 1
    assert (the.status_of(db, lost), the.status_of(db, asking)) == ("running", "waiting")
    stopped_clock.advance(301)
    for _ in range(12):
        renew(db, "worker-2")
        reaper.turn(tmp_path)
        ticks.now += 1
    assert (the.status_of(db, lost), the.status_of(db, asking)) == ("queued", "running")
