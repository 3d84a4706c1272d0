"""Processes die while a mission runs: nothing that was acknowledged is lost, nothing happens twice."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.crowd import Crowd
from tests.edge.wire import Wire
from tests.folding import differences, faults
from tests.missions import mission, names, spoken, task
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import NO_TLS, Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.agents]

LONG = "".join(f"Sentence number {n} – with a dash. " for n in range(80))
HELD = 200


def streaming(longline: Longline, mission_id: int) -> Any:
    """Wait until text of the task `second` has come, and give the events so far."""
    return until(
        lambda: [
            event
            for event in longline.events(mission_id, kind="STREAM")
            if event["task"] == "second"
        ],
        what="text of the second task",
    )


def test_a_worker_killed_in_mid_stream_loses_no_finished_task(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [
        Rule(Reply("The first is done."), last="task first"),
        Rule(Reply(LONG, delay_s=0.02), last="task second", times=1),
        Rule(Reply(LONG), last="task second"),
    ]
    created = longline.client.create(mission(task("first"), task("second")))
    streaming(longline, created["id"])

    longline.kill("worker")
    longline.start("worker")
    ended = longline.wait_for_status(created["id"], "completed", "failed")

    events = longline.events(created["id"])
    first, cut, again = spoken(events).values()
    assert ended["status"] == "completed"
    assert ended["attempt"] == 2
    assert [first, again] == ["The first is done.", LONG]
    assert LONG.startswith(cut)
    assert "worker_lost" in names(events, "ERROR")
    assert len([e for e in model_server.exchanges if "task first" in e.last_message]) == 1
    assert differences(events, ended) == {}
    assert faults(events) == []


def test_a_child_killed_in_mid_stream_is_run_again(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [
        Rule(Reply(LONG, delay_s=0.02), last="task second", times=1),
        Rule(Reply(LONG), last="task second"),
    ]
    created = longline.client.create(mission(task("second")))
    streaming(longline, created["id"])

    kill_child(longline, created["id"])
    ended = longline.wait_for_status(created["id"], "completed", "failed")

    events = longline.events(created["id"])
    assert ended["status"] == "completed"
    assert ended["attempt"] == 2
    assert list(spoken(events).values())[-1] == LONG
    assert differences(events, ended) == {}
    assert faults(events) == []


def test_a_worker_that_is_stopped_hands_its_missions_over(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [
        Rule(Reply(LONG, delay_s=0.02), last="task second", times=1),
        Rule(Reply(LONG), last="task second"),
    ]
    created = longline.client.create(mission(task("second")))
    streaming(longline, created["id"])

    longline.stop("worker")
    handed_over = longline.client.mission(created["id"])
    longline.start("worker")
    ended = longline.wait_for_status(created["id"], "completed", "failed")

    events = longline.events(created["id"])
    assert handed_over["status"] == "queued"
    assert ended["status"] == "completed"
    assert names(events, "ERROR") == []
    assert differences(events, ended) == {}
    assert faults(events) == []


def test_followers_of_a_killed_web_process_see_every_event_once(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply(LONG, delay_s=0.02))]
    created = longline.client.create(mission())
    with Crowd(longline.port, created["id"], HELD) as crowd:
        crowd.wait_until_under_way()

        longline.kill("web")
        longline.start("web")
        ended = longline.wait_for_status(created["id"], "completed")
        lists = crowd.seen()

    events = longline.events(created["id"])
    assert spoken(events) == dict.fromkeys(spoken(events), LONG)
    assert lists == [[event["seq"] for event in events]] * HELD
    assert differences(events, ended) == {}


def test_a_web_process_that_is_stopped_answers_every_held_poll(longline: Longline) -> None:
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(longline.port)) for _ in range(HELD)]
        for wire in wires:
            wire.send("/events?after=now&wait=25")
        until(lambda: held(longline) == HELD, what=f"{HELD} held polls")

        longline.stop("web")

        assert [wire.answer().json["reason"] for wire in wires] == ["drain"] * HELD


def test_a_client_that_leaves_frees_its_place(longline: Longline) -> None:
    with (
        httpx.Client(base_url=longline.url, timeout=httpx.Timeout(30, read=0.3)) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get("/events", params={"after": "now", "wait": 20})

    until(lambda: held(longline) == 0, within_s=15, what="free place")


@pytest.mark.parametrize("dies", ["web", "worker", "both"])
def test_a_question_and_its_answer_survive(
    longline: Longline, model_server: ModelServer, dies: str
) -> None:
    model_server.rules = [
        Rule(Reply("The draft."), last="task draft", times=1),
        Rule(Reply("Another draft."), last="task draft"),
    ]
    created = longline.client.create(mission(task("draft", human_input=True)))
    question = longline.wait_for_question(created["id"])
    dying = ["web", "worker"] if dies == "both" else [dies]

    for name in dying:
        longline.kill(name)
    if "web" in dying:
        longline.start("web")
    longline.client.answer(question["id"], "")  # with the worker still gone, where it was killed
    if "worker" in dying:
        longline.start("worker")
    ended = longline.wait_for_status(created["id"], "completed", "failed")

    events = longline.events(created["id"])
    assert ended["result"]["text"] == "The draft."  # what the human saw is what was accepted
    assert names(events, "HUMAN_INPUT_REQUEST") == ["opened"]
    assert names(events, "HUMAN_RESPONSE") == ["answered"]
    assert longline.client.request(question["id"])["read_at"] is not None
    assert differences(events, ended) == {}
    assert faults(events) == []


def held(longline: Longline) -> int:
    return int(httpx.get(f"{longline.url}/readyz", verify=NO_TLS).json()["held"])


def kill_child(longline: Longline, mission_id: int) -> None:
    """kill -9 the process that runs a mission, found by its working directory."""
    folder = longline.folder / "data" / "runs"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = (process / "cwd").readlink()
        except OSError:
            continue
        if where.parent == folder and where.name.startswith(f"{mission_id}-"):
            os.kill(int(process.name), signal.SIGKILL)
            return
    raise AssertionError(f"no process runs mission {mission_id}")
