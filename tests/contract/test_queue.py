"""The queue: which mission is claimed next, and how many may be held at once."""

from functools import partial

import pytest
from sqlalchemy import select, update

from models import missions, workspaces
from service import clock
from service.missions import attempts, leases, queue
from service.missions.queue import NO_LIMITS, Due, Limits
from tests.contract import given as the
from tests.contract.races import race

HOUR_S = 3600.0


def claim_all(db, *, limits=NO_LIMITS, at_most=100):
    """Missions in the order in which one worker claims them."""
    taken = []
    while len(taken) < at_most:
        claimed = attempts.claim_next(db, "worker-1", lease_s=30.0, limits=limits)
        if claimed is None:
            break
        taken.append(claimed)
    return taken


def ids(claims):
    return [claimed.mission_id for claimed in claims]


def test_a_higher_priority_goes_first_and_age_decides_among_equals(db):
    low, first, second, high = [
        the.make_mission(db, priority=priority) for priority in (-5, 0, 0, 7)
    ]
    assert ids(claim_all(db)) == [high, first, second, low]


def test_a_mission_does_not_start_before_its_time(db, stopped_clock):
    later = the.make_mission(db, not_before=clock.rfc3339(clock.now_ms() + 3_600_000))
    now = the.make_mission(db)
    assert ids(claim_all(db)) == [now]
    stopped_clock.advance(HOUR_S)
    assert ids(claim_all(db)) == [later]


def test_a_mission_whose_spec_cannot_be_read_fails_and_holds_nobody_up(db):
    """As one that a newer version has taken, and a worker of the older one comes to."""
    unread, following = the.make_mission(db), the.make_mission(db)
    with db.transaction() as conn:
        newer = update(missions).where(missions.c.id == unread)
        conn.execute(newer.values(spec='{"not": "known"}'))
    assert claim_all(db) == []
    assert ids(claim_all(db)) == [following]
    failed = the.mission(db, unread)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "spec_unreadable")
    assert the.follows_its_log(db, unread)


def test_a_moment_names_its_offset(db, stopped_clock):
    with pytest.raises(ValueError, match="RFC 3339"):
        the.spec(not_before="2026-11-22T20:00:00")


def test_a_workspace_with_many_missions_does_not_hold_up_another(db):
    crowd = [the.make_mission(db) for _ in range(5)]
    elsewhere = the.make_workspace(db, "elsewhere")
    one = the.make_mission(db, elsewhere)
    assert ids(claim_all(db, at_most=2)) in ([crowd[0], one], [one, crowd[0]])


def test_workspaces_are_served_in_turn(db, stopped_clock):
    places = [the.WORKSPACE, *(the.make_workspace(db, f"w{i}") for i in range(2))]
    for place in places:
        for _ in range(3):
            the.make_mission(db, place)
    served = []
    while taken := claim_all(db, at_most=1):
        served.append(taken[0].workspace_id)
        stopped_clock.advance(0.01)
    assert served == places * 3


def test_no_more_are_held_than_the_limit_overall(db):
    made = [the.make_mission(db) for _ in range(4)]
    taken = claim_all(db, limits=Limits(overall=3))
    assert ids(taken) == made[:3]
    the.complete(db, taken[0])
    assert ids(claim_all(db, limits=Limits(overall=3))) == made[3:]


def test_no_more_of_a_workspace_are_held_than_its_limit(db):
    elsewhere = the.make_workspace(db, "elsewhere")
    for place in (the.WORKSPACE, elsewhere):
        for _ in range(3):
            the.make_mission(db, place)
    with db.transaction() as conn:
        own = update(workspaces).where(workspaces.c.id == elsewhere).values(max_running=2)
        conn.execute(own)
    taken = claim_all(db, limits=Limits(per_workspace=1))
    assert sorted(claimed.workspace_id for claimed in taken) == [the.WORKSPACE, *[elsewhere] * 2]


def test_a_limit_holds_whoever_claims_at_the_same_moment(db):
    for _ in range(12):
        the.make_mission(db)
    limits = Limits(overall=5, per_workspace=4)
    race(*[partial(claim_all, db, limits=limits)] * 4)
    with db.reading() as conn:
        assert len(leases.held_by(conn, "worker-1")) == 4


def test_a_waiting_mission_counts_as_held(db):
    the.ask(db, the.running(db))
    the.make_mission(db)
    assert claim_all(db, limits=Limits(overall=1)) == []


def test_a_claim_locks_no_mission_but_its_own(db):
    if db.is_sqlite:
        pytest.skip("there it holds off all other writers")
    first, second = (the.make_mission(db, the.make_workspace(db, name)) for name in ("a", "b"))
    given = {"lease_owner": "worker-1", "lease_until_ms": 0, "now_ms": clock.now_ms()}
    given |= {"turn": queue.CLAIMS_IN_TURN, "overall": 9, "most": None}
    given |= {"event": "mission.running", "data": "{}"}
    with db.transaction() as conn:
        taken = queue.Taken(*conn.exec_driver_sql(queue.CLAIM, given).one())
        assert taken.id == first
        with db.transaction() as other:
            locked = select(missions.c.id).with_for_update(skip_locked=True)
            assert list(other.execute(locked).scalars()) == [second]
        further = queue.take(db, "worker-2", 30_000, due=Due(in_turn=False))
        assert further is not None
        assert further.id == second


def test_who_was_told_of_a_mission_claims_without_a_look(db):
    mission_id = the.make_mission(db)
    for expected in (mission_id, None):
        due = queue.expected()
        claimed = attempts.claim_next(db, "worker-1", lease_s=30.0, due=due)
        assert (claimed and claimed.mission_id) == expected
