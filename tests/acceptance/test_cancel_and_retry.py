"""Cancelling leaves whatever runs, in time, and keeps what there was; a retry is a new mission."""

import time
from pathlib import Path

import pytest

from tests.acceptance.checking import check, ended
from tests.folding import differences, faults
from tests.missions import agent, mission, names, spoken, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.agents]

# Two of grace; on a busy machine more. What blocks would do so for minutes.
BLOCKED_S = 20.0


@pytest.fixture
def longline(equipped_longline: Longline) -> Longline:
    """A server with a tool that takes ten minutes."""
    return equipped_longline


def cancelled_after(longline: Longline, mission_id: int) -> float:
    """Cancel a mission; how many seconds later it was cancelled."""
    asked = time.monotonic()
    longline.client.cancel(mission_id)
    ended(longline, mission_id, "cancelled")
    return time.monotonic() - asked


def test_a_running_stream_is_left_within_a_second(
    longline: Longline, model_server: ModelServer
) -> None:
    """One of five, for the machine may be busy with other things."""
    model_server.rules = [Rule(Reply("word " * 5000, delay_s=0.01))]

    def stream() -> int:
        model_server.exchanges.clear()
        created = int(longline.client.create(mission())["id"])
        until(lambda: spoken(longline.events(created)), what="text")
        return created

    last = next((m for m in (stream() for _ in range(5)) if cancelled_after(longline, m) < 1.0), 0)
    assert last
    events = longline.events(last)
    (text,) = spoken(events).values()
    assert model_server.texts()[0].startswith(text)  # what had come stays
    assert len(text) > 0
    assert differences(events, longline.client.mission(last)) == {}
    assert faults(events) == []


@pytest.mark.parametrize("blocked_in", ["tool", "stream"])
def test_what_blocks_is_left_within_seconds(
    longline: Longline, model_server: ModelServer, tmp_path: Path, blocked_in: str
) -> None:
    call = ToolCall("linger", {"file": str(tmp_path / "marks")})
    hanging = Reply("one two three", hang_after=2)
    model_server.rules = [Rule(Reply(tool_calls=[call]) if blocked_in == "tool" else hanging)]
    created = longline.client.create(mission(agents=[agent(tools=["linger"])]))
    begun = (tmp_path / "marks").exists if blocked_in == "tool" else lambda: spoken(
        longline.events(created["id"])
    )  # fmt: skip
    until(begun, what="mission that hangs")
    assert cancelled_after(longline, created["id"]) < BLOCKED_S
    events = longline.events(created["id"])
    assert differences(events, longline.client.mission(created["id"])) == {}
    assert faults(events) == []


def test_a_finished_tasks_output_stays_when_the_mission_is_cancelled(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [
        Rule(Reply("The first."), last="task first"),
        Rule(Reply("word " * 5000, delay_s=0.01), last="task second"),
    ]
    created = longline.client.create(mission(task("first"), task("second")))
    until(lambda: len(spoken(longline.events(created["id"]))) == 2, what="second task")
    cancelled_after(longline, created["id"])
    events = longline.events(created["id"])
    outputs = [e["data"]["text"] for e in events if (e["kind"], e["name"]) == ("OUTPUT", "task")]
    assert outputs == ["The first."]
    assert longline.client.mission(created["id"])["progress"]["done"] == 1


def test_tasks_beside_each_other_are_all_left(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("word " * 5000, delay_s=0.01))]
    beside = [task(name, async_execution=True) for name in ("one", "two")]
    created = longline.client.create(mission(*beside, task("sum")))
    until(lambda: len(spoken(longline.events(created["id"]))) == 2, what="two streams")
    assert cancelled_after(longline, created["id"]) < BLOCKED_S


def test_a_retry_is_a_new_mission_of_the_same_spec(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply(status=400, error="no"), times=1), Rule(Reply("Now."))]
    created = longline.client.create(mission(title="Once more"))
    failed = ended(longline, created["id"], "failed")
    model_server.exchanges.clear()
    again = longline.client.missions.retry(created["id"])
    done = ended(longline, again["id"])
    check(longline, done, model_server)
    assert (done["retry_of"], done["title"]) == (created["id"], "Once more")
    assert done["spec"] == failed["spec"]
    assert done["result"]["text"] == "Now."
    assert longline.client.mission(created["id"])["status"] == "failed"
    assert "mission.queued" in names(longline.events(again["id"]), "STATUS")
