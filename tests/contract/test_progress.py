"""What a running attempt records, and that a mission's row is what its log says."""

from tests import folding
from tests.contract import given as the


def test_a_finished_task_and_its_events_come_together(db):
    claimed = the.running(db)
    the.finish_task(db, claimed, "research")
    mission = the.mission(db, claimed.mission_id)
    assert mission["progress"] == {"done": 1, "total": 2}
    assert the.names_of(db, claimed.mission_id)[-2:] == ["task", "task.completed"]


def test_rev_is_the_number_of_the_last_status_event(db):
    claimed = the.running(db)
    the.finish_task(db, claimed, "research")
    the.record(db, claimed, the.delta(), the.usage(1, 1))
    last = the.events_of(db, claimed.mission_id, kinds=["STATUS"])[-1]
    assert (last["name"], the.mission(db, claimed.mission_id)["rev"]) == (
        "task.completed",
        last["seq"],
    )


def test_usage_without_numbers_counts_as_none(db):
    claimed = the.running(db)
    event = the.usage(3, 4)
    event.data.update(cached_tokens=None, cost_usd=None)
    del event.data["reasoning_tokens"]
    the.record(db, claimed, event)
    assert the.mission(db, claimed.mission_id)["usage"]["cached_tokens"] == 0
    assert the.follows_its_log(db, claimed.mission_id)


def test_the_row_is_what_the_log_says_through_a_whole_life(db):
    claimed = the.running(db)
    mission_id = claimed.mission_id
    steps = [
        lambda: the.record(db, claimed, the.usage(7, 3, 0.1), the.delta()),
        lambda: the.finish_task(db, claimed, "research"),
        lambda: the.ask(db, claimed, the.question("one")),
        lambda: the.ask(db, claimed, the.question("two")),
        lambda: the.answer(db, 1, "Yes."),
        lambda: the.lose(db, claimed),
        lambda: the.claim(db, "worker-2"),
        lambda: the.answer(db, 2, "No."),
        lambda: the.cancel(db, mission_id),
        lambda: the.lose(db, claimed),
    ]
    for step in steps:
        step()
        assert the.follows_its_log(db, mission_id)
    assert the.mission(db, mission_id)["status"] == "cancelled"


def test_folding_sees_a_row_that_does_not_follow(db):
    """The check itself is checked: each field that is off is named."""
    claimed = the.running(db)
    the.record(db, claimed, the.usage(7, 3, 0.1))
    the.complete(db, claimed)
    events = the.events_of(db, claimed.mission_id)
    off = {
        "status": "failed",
        "rev": 1,
        "attempt": 2,
        "result": None,
        "usage": {**the.mission(db, claimed.mission_id)["usage"], "cost_usd": 0.2},
        "progress": {"done": 1, "total": 2},
        "requests": [9],
    }
    wrong = folding.differences(events, the.mission(db, claimed.mission_id) | off)
    assert wrong.keys() == off.keys()
    assert folding.faults(events[1:]) != []
    assert folding.faults([*events, events[-1]]) != []
