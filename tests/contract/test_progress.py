"""What a running attempt records, and that a mission's row is what its log says."""

import pytest

from service.errors import LeaseLost
from service.events.kinds import Kind, NewEvent
from service.missions import progress
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


@pytest.mark.parametrize("how", ["transaction", "statement"])
def test_a_rehearsal_changes_nothing(db, how):
    claimed = the.running(db)
    before = the.events(db), the.mission(db, claimed.mission_id)
    with pytest.raises(LeaseLost), getattr(db, how)() as conn:
        progress.rehearse(conn, 0, NewEvent(Kind.LOG, "none", {}))
    assert (the.events(db), the.mission(db, claimed.mission_id)) == before


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


# Usage by agent, and tools that began


def test_usage_is_summed_by_agent_beside_the_whole(db):
    claimed = the.running(db)
    for agent, cost in (("writer", 0.5), ("editor", None), ("writer", 0.25)):
        event = the.usage(10, 3, cost)
        event.agent = agent
        the.record(db, claimed, event)
    usage = the.mission(db, claimed.mission_id)["usage"]
    assert {name: (it["calls"], it["prompt_tokens"], it["cost_usd"]) for name, it in usage["agents"].items()} == {
        "writer": (2, 20, 0.75),
        "editor": (1, 10, None),
    }  # fmt: skip
    assert usage["prompt_tokens"] == 30
    assert the.follows_its_log(db, claimed.mission_id)
    assert claimed.used == (0, None)
    the.lose(db, claimed)
    assert the.claim(db).used == (39, 0.75)


def tool(name: str, call: str, *, tool: str = "weather", task: str = "draft") -> NewEvent:
    data = {"tool": tool, "args": {"city": "Oslo"}}
    return NewEvent(Kind.ACTION, f"tool.{name}", data, agent="writer", task=task, call=call)


def unfinished(db, claimed) -> list[str]:
    with db.reading() as conn:
        return [it.call for it in progress.unfinished_tools(conn, claimed.mission_id)]


def test_a_tool_that_started_and_did_not_end_is_unfinished(db):
    claimed = the.running(db)
    the.record(db, claimed, *(tool("started", call) for call in ("c1", "c2", "c3", "c4")))
    ends = zip(("finished", "failed", "blocked"), ("c1", "c2", "c3"), strict=True)
    the.record(db, claimed, *(tool(name, call) for name, call in ends))
    assert unfinished(db, claimed) == ["c4"]
    other = the.running(db, "worker-2")
    assert unfinished(db, other) == []


def test_what_goes_on_by_itself_and_what_a_finished_task_did_is_not(db):
    claimed = the.running(db)
    the.record(
        db,
        claimed,
        tool("started", "c1", tool="ask_human"),
        tool("started", "c2", tool="delegate_work_to_coworker"),
        tool("started", "c3", task="research"),
    )
    assert unfinished(db, claimed) == ["c3"]
    the.finish_task(db, claimed, "research")
    assert unfinished(db, claimed) == []
