"""The states of a mission: where it can go, and where it cannot leave."""

import pytest

from service.events import batch
from service.missions.states import ENDED, HELD, MOVES, Status


def reachable(start: Status) -> set[Status]:
    seen, ahead = {start}, [start]
    while ahead:
        for status in MOVES[ahead.pop()] - seen:
            seen.add(status)
            ahead.append(status)
    return seen


def test_every_status_has_its_moves():
    assert MOVES.keys() == set(Status)


def test_every_status_is_reached_from_the_queue():
    assert reachable(Status.QUEUED) == set(Status)


def test_an_ended_mission_goes_nowhere():
    for status in ENDED:
        assert status.ended
        assert MOVES[status] == frozenset()


def test_only_ended_missions_go_nowhere():
    assert {status for status in Status if not MOVES[status]} == ENDED


@pytest.mark.parametrize("status", sorted(set(Status) - ENDED))
def test_every_mission_that_has_not_ended_can_be_cancelled_and_can_fail(status):
    assert not status.ended
    assert {Status.CANCELLED, Status.FAILED} <= MOVES[status]


@pytest.mark.parametrize("status", sorted(HELD))
def test_a_held_mission_can_go_back_to_the_queue(status):
    assert Status.QUEUED in MOVES[status]


def test_only_a_mission_that_ran_can_be_completed():
    assert {status for status in Status if Status.COMPLETED in MOVES[status]} == HELD


def test_nothing_moves_to_where_it_is():
    assert not any(status in MOVES[status] for status in Status)


def test_the_log_and_the_missions_agree_on_what_has_ended():
    """The log is the lower layer, and so has the names a second time."""
    assert set(batch.ENDED) == ENDED
