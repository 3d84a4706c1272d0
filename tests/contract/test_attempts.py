"""Attempts: who may move a mission and where to, and what becomes of one whose worker is gone."""

from functools import partial

import pytest

from service.config import Settings
from service.db import Database
from service.events import log
from service.missions import attempts, progress
from tests.contract import given as the
from tests.contract.processes import run_together
from tests.contract.races import race

# Claiming


def test_the_oldest_queued_mission_is_claimed_first(db):
    ids = [the.make_mission(db) for _ in range(3)]
    assert [the.claim(db).mission_id for _ in ids] == ids
    assert attempts.claim_next(db, "worker-1", lease_s=30.0) is None


def test_a_claim_starts_the_next_attempt_under_a_lease(db):
    claimed = the.running(db)
    mission = the.mission(db, claimed.mission_id)
    assert claimed.fence == log.Fence(1, "worker-1")
    assert (mission["status"], mission["attempt"]) == ("running", 1)
    assert mission["started_at"] is not None
    assert the.events_of(db, claimed.mission_id)[-1]["attempt"] == 1
    assert the.expired(db) == []


def claim_all(settings: Settings, owner: str) -> list[int]:
    db = Database(settings)
    taken = []
    while True:
        claimed = attempts.claim_next(db, owner, lease_s=30.0)
        if claimed is None:
            db.close()
            return taken
        taken.append(claimed.mission_id)


def test_no_mission_is_claimed_twice(db, settings):
    ids = [the.make_mission(db) for _ in range(30)]
    taken = run_together([(claim_all, settings, f"worker-{i}") for i in range(4)])
    assert sorted(mission_id for share in taken for mission_id in share) == ids
    assert [the.mission(db, mission_id)["attempt"] for mission_id in ids] == [1] * 30


# Ending


def test_a_completed_mission_has_its_result_usage_and_end(db):
    claimed = the.running(db)
    the.record(db, claimed, the.usage(10, 5, 0.5), the.delta(), the.usage(1, 2))
    the.record(db, claimed, the.usage(100, 50, 0.25))
    the.complete(db, claimed, "A brief.", {"pages": 2})
    mission = the.mission(db, claimed.mission_id)
    assert mission["status"] == "completed"
    assert mission["result"] == {"text": "A brief.", "json": {"pages": 2}}
    counted = {
        "prompt_tokens": 111,
        "completion_tokens": 57,
        "cached_tokens": 3,
        "cost_usd": 0.75,
    }
    assert mission["usage"].items() >= counted.items()
    assert the.follows_its_log(db, claimed.mission_id)


def test_the_end_is_told_as_output_total_and_status(db):
    claimed = the.running(db)
    the.record(db, claimed, the.usage(10, 5))
    the.complete(db, claimed)
    final, total, status = the.events_of(db, claimed.mission_id)[-3:]
    assert (final["kind"], final["name"]) == ("OUTPUT", "final")
    assert (total["kind"], total["name"]) == ("USAGE", "total")
    assert total["data"] == {
        "model": None,
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cached_tokens": 1,
        "reasoning_tokens": 0,
        "cost_usd": None,
    }
    assert status["data"] == {
        "from": "running",
        "to": "completed",
        "reason": "all tasks are done",
    }


def test_a_failed_mission_has_its_error(db):
    claimed = the.running(db)
    the.fail(db, claimed)
    mission = the.mission(db, claimed.mission_id)
    expected = {"code": "model_failed", "message": "The model is away.", "retryable": True}
    assert (mission["status"], mission["error"]) == ("failed", expected)
    assert the.events_of(db, claimed.mission_id, kinds=["ERROR"])[-1]["data"] == expected
    assert the.follows_its_log(db, claimed.mission_id)


def test_an_oversized_result_is_cut_alike_in_row_and_log(db):
    claimed = the.running(db)
    the.complete(db, claimed, "x" * 1_000_000)
    assert the.mission(db, claimed.mission_id)["result"]["truncated"] is True
    assert the.follows_its_log(db, claimed.mission_id)


# Giving back, losing


def test_a_mission_that_is_handed_over_goes_on_elsewhere(db):
    claimed = the.running(db)
    the.finish_task(db, claimed, "research")
    the.hand_over(db, claimed)
    mission = the.mission(db, claimed.mission_id)
    assert (mission["status"], mission["attempt"]) == ("queued", 1)
    again = the.claim(db, "worker-2")
    assert (again.mission_id, again.fence.attempt) == (claimed.mission_id, 2)
    assert the.follows_its_log(db, claimed.mission_id)


def test_handing_over_is_no_loss(db):
    claimed = the.running(db, on_worker_lost="fail")
    for _ in range(attempts.MAX_LOSSES + 1):
        the.hand_over(db, claimed)
        claimed = the.claim(db)
    assert the.mission(db, claimed.mission_id)["status"] == "running"


def test_a_mission_to_be_cancelled_ends_when_its_worker_stops(db):
    claimed = the.running(db)
    the.cancel(db, claimed.mission_id)
    the.hand_over(db, claimed)
    assert the.mission(db, claimed.mission_id)["status"] == "cancelled"
    assert the.follows_its_log(db, claimed.mission_id)


def test_the_start_stays_that_of_the_first_attempt(db, stopped_clock):
    claimed = the.running(db)
    started = the.mission(db, claimed.mission_id)["started_at"]
    stopped_clock.advance(60)
    the.lose(db, claimed)
    the.claim(db)
    assert the.mission(db, claimed.mission_id)["started_at"] == started
    assert the.follows_its_log(db, claimed.mission_id)


def test_a_lost_mission_resumes_behind_its_finished_tasks(db):
    claimed = the.running(db)
    the.finish_task(db, claimed, "research", "What I found.")
    the.lose(db, claimed)
    mission = the.mission(db, claimed.mission_id)
    assert (mission["status"], mission["progress"]["done"]) == ("queued", 1)
    assert the.names_of(db, claimed.mission_id)[-2:] == ["worker_lost", "mission.queued"]
    with db.reading() as conn:
        [output] = progress.finished(conn, claimed.mission_id)
    assert (output["task"], output["text"]) == ("research", "What I found.")
    assert the.claim(db).restarts == 0
    assert the.follows_its_log(db, claimed.mission_id)


def test_a_lost_mission_restarts_from_nothing_when_it_wants_that(db):
    claimed = the.running(db, on_worker_lost="restart")
    the.finish_task(db, claimed, "research")
    request_id = the.ask(db, claimed)
    the.lose(db, claimed)
    assert the.mission(db, claimed.mission_id)["progress"]["done"] == 0
    assert the.request(db, request_id)["status"] == "cancelled"
    with db.reading() as conn:
        assert progress.finished(conn, claimed.mission_id) == []
    assert the.follows_its_log(db, claimed.mission_id)
    again = the.claim(db)
    assert again.restarts == 1
    the.finish_task(db, again, "research")
    assert the.follows_its_log(db, claimed.mission_id)


def test_a_lost_mission_fails_when_it_wants_that(db):
    claimed = the.running(db, on_worker_lost="fail")
    the.lose(db, claimed)
    mission = the.mission(db, claimed.mission_id)
    assert mission["status"] == "failed"
    assert mission["error"] == {
        "code": "worker_lost",
        "message": "its worker died",
        "retryable": True,
    }
    assert the.follows_its_log(db, claimed.mission_id)


@pytest.mark.parametrize("policy", ["resume", "restart"])
def test_the_third_loss_is_the_last(db, policy):
    """A mission that takes its worker down must not go round for ever."""
    claimed = the.running(db, on_worker_lost=policy)
    for _ in range(2):
        the.lose(db, claimed)
        assert the.mission(db, claimed.mission_id)["status"] == "queued"
        claimed = the.claim(db)
    the.lose(db, claimed)
    mission = the.mission(db, claimed.mission_id)
    assert (mission["status"], mission["error"]["code"]) == ("failed", "worker_lost")
    assert the.follows_its_log(db, claimed.mission_id)


def test_a_lost_mission_that_was_to_be_cancelled_is_cancelled(db):
    claimed = the.running(db)
    the.cancel(db, claimed.mission_id)
    the.lose(db, claimed)
    mission = the.mission(db, claimed.mission_id)
    assert (mission["status"], mission["error"]) == ("cancelled", None)
    assert the.follows_its_log(db, claimed.mission_id)


def test_a_worker_loses_what_it_holds_when_its_own_process_died(db):
    claimed = the.running(db)
    the.lose(db, claimed, fence=claimed.fence)
    assert the.mission(db, claimed.mission_id)["status"] == "queued"


def test_what_nobody_holds_cannot_be_lost(db):
    claimed = the.running(db)
    the.complete(db, claimed)
    the.make_mission(db)
    before = the.events(db)
    the.lose(db, claimed)
    with db.transaction() as conn:
        attempts.lose(conn, claimed.mission_id + 1, reason="it was only queued")
        attempts.lose(conn, 999, reason="there is none")
    assert the.events(db) == before


# Races


def test_of_all_who_end_a_mission_at_once_one_does(db):
    for _ in range(5):
        claimed = the.running(db)
        ends = (the.complete, the.fail, the.end_cancelled, the.hand_over)
        outcomes = race(*[partial(end, db, claimed) for end in ends])
        assert outcomes.count(None) == 1
        assert the.follows_its_log(db, claimed.mission_id)
        if the.mission(db, claimed.mission_id)["status"] == "queued":
            the.cancel(db, claimed.mission_id)


def test_a_mission_is_lost_once_however_many_find_it(db):
    claimed = the.running(db)
    assert race(*[partial(the.lose, db, claimed)] * 4) == [None] * 4
    assert the.names_of(db, claimed.mission_id).count("worker_lost") == 1
    errors = the.events_of(db, claimed.mission_id, kinds=["ERROR"])
    assert len(errors) == 1
