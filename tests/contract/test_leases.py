"""Leases: who holds a mission writes for it, who has lost it writes nothing."""

import pytest

from service.db import Database
from service.errors import LeaseLost
from service.missions import leases, progress
from service.missions.attempts import Claim
from tests.contract import given as the


def renew(db: Database, owner: str, *, lease_s: float = the.LEASE_S) -> leases.Renewed:
    with db.transaction() as conn:
        held = [lease.mission_id for lease in leases.held_by(conn, owner)]
        return leases.renew(conn, owner, held, lease_s=lease_s)


def test_renewing_tells_what_is_held_and_what_is_to_be_cancelled(db):
    mine, cancelled = the.running(db), the.running(db)
    the.running(db, "worker-2")
    the.make_mission(db)
    the.cancel(db, cancelled.mission_id)
    found = renew(db, "worker-1")
    assert found.held.keys() == {mine.mission_id, cancelled.mission_id}
    assert found.cancelled == {cancelled.mission_id}
    with db.reading() as conn:
        assert leases.orders(conn, "worker-1") == found


def test_looking_at_what_is_held_tells_that_a_question_was_answered(db):
    """For all that wait at once, so that not each of them looks."""
    claimed = the.running(db)

    def look():
        with db.reading() as conn:
            found = leases.orders(conn, "worker-1")
        return found.waiting, found.held[claimed.mission_id]

    request_id = the.ask(db, claimed, the.question("k"))
    waits, asked = look()
    the.answer(db, request_id, "Yes.")
    waits_still, answered = look()
    assert (waits, waits_still) == (True, False)
    assert answered > asked


def test_a_claim_that_its_worker_never_heard_of_is_not_renewed(db):
    """The database died between the commit of the claim and the worker's hearing of it."""
    known, unheard_of = the.running(db), the.running(db)
    with db.transaction() as conn:
        before = {lease.mission_id: lease for lease in leases.held_by(conn, "worker-1")}
        renewed = leases.renew(conn, "worker-1", [known.mission_id], lease_s=2 * the.LEASE_S)
        after = {lease.mission_id: lease for lease in leases.held_by(conn, "worker-1")}
    assert renewed.held.keys() == {known.mission_id}
    assert after[known.mission_id] != before[known.mission_id]
    assert after[unheard_of.mission_id] == before[unheard_of.mission_id]


def test_a_lease_runs_out_unless_it_is_renewed(db, stopped_clock):
    kept, left = the.running(db), the.running(db, "worker-2")
    stopped_clock.advance(29)
    assert the.expired(db) == []
    renew(db, "worker-1")
    stopped_clock.advance(2)
    assert the.expired(db) == [left.mission_id]
    stopped_clock.advance(29)
    assert the.expired(db) == [kept.mission_id, left.mission_id]


def test_an_ended_mission_is_held_by_nobody(db, stopped_clock):
    claimed = the.running(db)
    the.complete(db, claimed)
    stopped_clock.advance(3600)
    assert the.expired(db) == []
    assert renew(db, "worker-1").held == {}
    with db.reading() as conn:
        assert leases.held_by(conn, "worker-1") == []


def replaced(db: Database) -> tuple[Claim, Claim]:
    """A claim that was lost, and the one that another worker has now."""
    zombie = the.running(db)
    the.lose(db, zombie)
    return zombie, the.claim(db, "worker-2")


ZOMBIE_WRITES = {
    "record": lambda db, claim: the.record(db, claim, the.delta()),
    "finish_task": lambda db, claim: the.finish_task(db, claim, "research"),
    "complete": the.complete,
    "fail": the.fail,
    "end_cancelled": the.end_cancelled,
    "hand_over": the.hand_over,
    "lose": lambda db, claim: the.lose(db, claim, fence=claim.fence),
    "ask": the.ask,
}


@pytest.mark.parametrize("write", ZOMBIE_WRITES.values(), ids=ZOMBIE_WRITES)
def test_who_lost_the_lease_writes_nothing(db, write):
    zombie, held = replaced(db)
    before = the.events(db), the.mission(db, held.mission_id)
    with pytest.raises(LeaseLost):
        write(db, zombie)
    assert (the.events(db), the.mission(db, held.mission_id)) == before
    with db.reading() as conn:
        assert progress.finished(conn, held.mission_id) == []


@pytest.mark.parametrize("write", ZOMBIE_WRITES.values(), ids=ZOMBIE_WRITES)
def test_a_worker_that_was_lost_and_claims_again_is_fenced_by_the_attempt(db, write):
    """The owner is the same, the attempt is not."""
    zombie = the.running(db)
    the.lose(db, zombie)
    the.claim(db, "worker-1")
    with pytest.raises(LeaseLost):
        write(db, zombie)


def test_a_zombie_does_not_take_an_answer_that_the_next_attempt_waits_for(db):
    zombie = the.running(db)
    request_id = the.ask(db, zombie)
    the.lose(db, zombie)
    the.answer(db, request_id, "Yes.")
    the.claim(db, "worker-2")
    with pytest.raises(LeaseLost):
        the.ask(db, zombie)
