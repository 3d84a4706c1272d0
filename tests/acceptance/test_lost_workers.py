"""kill -9 at every place of a plan: it completes, and each task's output is there exactly once."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.checking import ended
from tests.acceptance.test_deaths import kill_child
from tests.folding import differences, faults
from tests.missions import agent, mission, names, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.agents]

PLAN = ("one", "two", "three", "four")
PLACES = [*((where, stop) for where in ("boundary", "mid") for stop in range(4)), ("behind", 4)]
LONG_S = 600.0
LATE_S = 5.0


@pytest.fixture
def longline(equipped_longline: Longline) -> Longline:
    """A server with tools that note when they are called, and room for a mission at each place."""
    return equipped_longline


def stopping_in(run: int, stop: int, *, where: str) -> list[Rule]:
    """A model that answers each task of a run, and at one of them hangs, the first time it is asked.

    where: `mid` hangs after some words of a task, `boundary` before its first one; `behind` has
    the crew hang when its last task is done.
    """
    hanging = {
        "mid": Reply("These are words that came before it hung.", hang_after=4),
        "boundary": Reply("Never.", first_delay_s=LONG_S),
        "behind": Reply(tool_calls=[ToolCall("hang_at_the_end", {})]),
    }[where]
    at_task = PLAN[min(stop, len(PLAN) - 1)]
    rules = [Rule(hanging, last=f"task {at_task} of run {run}.", times=1)]
    for name in PLAN:
        rules.append(Rule(Reply(f"Result {name} {run}."), any=f"task {name} of run {run}."))
    return rules


def four_tasks(run: int, **changes: Any) -> dict[str, Any]:
    tasks = [task(name, description=f"Do the task {name} of run {run}.") for name in PLAN]
    return mission(*tasks, agents=[agent(tools=["hang_at_the_end"])], **changes)


def at(longline: Longline, mission_id: int, stop: int, *, where: str) -> bool:
    """Whether a mission is where it hangs."""
    events = longline.events(mission_id)
    done = [event["task"] for event in events if event["name"] == "task.completed"]
    here = [event for event in events if event.get("task") in PLAN[stop:]]
    if where == "mid":
        return any(event["kind"] == "STREAM" for event in here)
    return done == list(PLAN[:stop]) and (
        where == "behind" or "llm.started" in names(here, "ACTION")
    )


def completed_exactly_once(
    longline: Longline, model_server: ModelServer, mission_id: int, run: int, stop: int
) -> None:
    done = ended(longline, mission_id, within_s=90)
    events = longline.events(mission_id)
    outputs = [
        (e["task"], e["data"]["text"])
        for e in events
        if (e["kind"], e["name"]) == ("OUTPUT", "task")
    ]
    assert outputs == [(name, f"Result {name} {run}.") for name in PLAN]
    assert [e["task"] for e in events if e["name"] == "task.completed"] == list(PLAN)
    assert done["result"]["text"] == f"Result four {run}."
    assert (done["attempt"], done["progress"]) == (2, {"done": 4, "total": 4})
    assert names(events, "ERROR") == ["worker_lost"]
    skipped = [e["task"] for e in events if e["name"] == "task.skipped"]
    assert skipped == list(PLAN[:stop])
    for place, name in enumerate(PLAN):
        asked = [
            x for x in model_server.exchanges if f"task {name} of run {run}." in x.last_message
        ]
        assert len(asked) == (2 if place == stop else 1)  # finished tasks are not run again
    last = [x for x in model_server.exchanges if f"task four of run {run}." in x.last_message][-1]
    assert all(f"Result {name} {run}." in last.last_message for name in PLAN[:3])
    assert differences(events, done) == {}
    assert faults(events) == []


@pytest.mark.parametrize("dies", ["child", "supervisor"])
def test_a_plan_completes_wherever_its_worker_is_killed(
    longline: Longline, model_server: ModelServer, dies: str
) -> None:
    """In front of each task, within each, and behind the last: nine missions, killed there."""
    rules = (stopping_in(run, stop, where=where) for run, (where, stop) in enumerate(PLACES))
    model_server.rules = [rule for some in rules for rule in some]
    created = [longline.client.create(four_tasks(run))["id"] for run in range(len(PLACES))]
    for mission_id, (where, stop) in zip(created, PLACES, strict=True):
        until(
            lambda m=mission_id, s=stop, w=where: at(longline, m, s, where=w),
            what=f"{where} {stop}",
        )
    if dies == "child":
        for mission_id in created:
            kill_child(longline, mission_id)
    else:
        longline.kill("worker")
        longline.start("worker")
    for run, (mission_id, (_, stop)) in enumerate(zip(created, PLACES, strict=True)):
        completed_exactly_once(longline, model_server, mission_id, run, stop)


def test_a_kill_right_behind_a_task_neither_loses_nor_doubles_it(
    longline: Longline, model_server: ModelServer
) -> None:
    """At a boundary in the strictest sense: as soon as the task's output is stored."""
    late = Reply("Result two 99.", first_delay_s=LATE_S)  # so that it is not over before the kill
    model_server.rules = [
        Rule(late, last="task two of run 99.", times=1),
        *(Rule(Reply(f"Result {name} 99."), last=f"task {name} of run 99.") for name in PLAN),
    ]
    created = longline.client.create(four_tasks(99))
    path = f"{longline.url}/missions/{created['id']}/events"
    page: dict[str, Any] = {"events": [], "next": 0}
    with httpx.Client(timeout=30) as client:
        while not page["events"]:
            query = {"after": page["next"], "wait": 10, "kind": "OUTPUT"}
            page = client.get(path, params=query).json()
    assert [event["task"] for event in page["events"]] == ["one"]
    kill_child(longline, created["id"])
    done = ended(longline, created["id"], within_s=90)
    events = longline.events(created["id"])
    outputs = [e["task"] for e in events if (e["kind"], e["name"]) == ("OUTPUT", "task")]
    assert outputs == list(PLAN)
    assert differences(events, done) == {}
    assert faults(events) == []


def test_restart_runs_every_task_again(longline: Longline, model_server: ModelServer) -> None:
    model_server.rules = stopping_in(5, 2, where="mid")
    created = longline.client.create(four_tasks(5, on_worker_lost="restart"))
    until(lambda: at(longline, created["id"], 2, where="mid"), what="third task")
    kill_child(longline, created["id"])
    done = ended(longline, created["id"])
    events = longline.events(created["id"])
    assert done["progress"] == {"done": 4, "total": 4}
    assert "task.skipped" not in names(events, "STATUS")
    again = [x for x in model_server.exchanges if "task one of run 5." in x.last_message]
    assert len(again) == 2
    assert differences(events, done) == {}
    assert faults(events) == []


def test_fail_fails(longline: Longline, model_server: ModelServer) -> None:
    model_server.rules = stopping_in(6, 1, where="mid")
    created = longline.client.create(four_tasks(6, on_worker_lost="fail"))
    until(lambda: at(longline, created["id"], 1, where="mid"), what="second task")
    kill_child(longline, created["id"])
    failed = ended(longline, created["id"], "failed")
    events = longline.events(created["id"])
    assert (failed["error"]["code"], failed["attempt"]) == ("worker_lost", 1)
    assert failed["progress"]["done"] == 1  # what it had done stays
    assert differences(events, failed) == {}


def test_three_attempts_at_most(longline: Longline, model_server: ModelServer) -> None:
    hanging = Reply("One two three four five.", hang_after=2)
    model_server.rules = [Rule(hanging, last="task one of run 7.")]
    created = longline.client.create(four_tasks(7))
    for attempt in (1, 2, 3):
        until(
            lambda n=attempt: [
                e for e in longline.events(created["id"], kind="STREAM") if e["attempt"] == n
            ],
            what=f"attempt {attempt}",
        )
        kill_child(longline, created["id"])
    failed = ended(longline, created["id"], "failed")
    events = longline.events(created["id"])
    assert (failed["error"]["code"], failed["attempt"]) == ("worker_lost", 3)
    assert names(events, "ERROR") == ["worker_lost"] * 3
    assert differences(events, failed) == {}
    assert faults(events) == []


def lingering(longline: Longline, model_server: ModelServer, file: Path) -> int:
    """A mission that is lost while a tool runs that had begun its work."""
    call = ToolCall("linger", {"file": str(file)})
    model_server.rules = [
        Rule(Reply(tool_calls=[call]), last="task draft", times=1),
        Rule(Reply("Without the tool.")),
    ]
    spec = mission(agents=[agent(tools=["linger"])], on_worker_lost="ask")
    created = longline.client.create(spec)
    until(lambda: file.exists() and file.read_text(), what="running tool that has written")
    kill_child(longline, created["id"])
    return int(created["id"])


def test_a_tool_that_had_started_is_reported_to_a_human_who_lets_the_task_run_again(
    longline: Longline, model_server: ModelServer, tmp_path: Path
) -> None:
    mission_id = lingering(longline, model_server, tmp_path / "marks")
    question = longline.wait_for_question(mission_id)
    assert "linger" in question["prompt"]
    assert str(tmp_path / "marks") in question["context"]
    assert (question["type"], question["task"], question["agent"]) == ("choice", "draft", "writer")
    calls_before = len(model_server.exchanges)
    longline.client.answer(question["id"], question["options"][0])
    done = ended(longline, mission_id)
    events = longline.events(mission_id)
    assert calls_before == 1  # nothing ran before the human had decided
    assert done["result"]["text"] == "Without the tool."
    assert names(events, "HUMAN_INPUT_REQUEST") == ["opened"]
    assert differences(events, done) == {}
    assert faults(events) == []


@pytest.mark.parametrize("answered", [True, False])
def test_a_tool_that_had_started_is_not_run_again_without_a_human(
    longline: Longline, model_server: ModelServer, tmp_path: Path, answered: bool
) -> None:
    file = tmp_path / "marks"
    mission_id = lingering(longline, model_server, file)
    question = longline.wait_for_question(mission_id)
    if answered:
        longline.client.answer(question["id"], question["options"][1])
    else:
        longline.client.cancel(mission_id)
    failed = ended(longline, mission_id, "failed", "cancelled")
    events = longline.events(mission_id)
    assert failed["status"] == ("failed" if answered else "cancelled")
    assert file.read_text() == "began\n"
    assert len(model_server.exchanges) == 1
    assert differences(events, failed) == {}


def test_a_tool_that_had_finished_is_not_reported(
    longline: Longline, model_server: ModelServer, tmp_path: Path
) -> None:
    call = ToolCall("note", {"file": str(tmp_path / "marks")})
    model_server.rules = [
        Rule(Reply(tool_calls=[call]), last="task draft", times=1),
        Rule(Reply("One two three four.", hang_after=2), last="noted", times=1),
        Rule(Reply("Done.")),
    ]
    created = longline.client.create(mission(agents=[agent(tools=["note"])], on_worker_lost="ask"))
    until(
        lambda: (
            "STREAM"
            in {
                e["kind"]
                for e in longline.events(created["id"])
                if e.get("data", {}).get("delta", "").startswith("One")
            }
        ),
        what="text",
    )
    kill_child(longline, created["id"])
    done = ended(longline, created["id"])
    assert names(longline.events(done["id"]), "HUMAN_INPUT_REQUEST") == []
