"""The process that stands by: it gets the next mission, is replaced when it dies, and outlives nobody."""

import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.checking import ended
from tests.faults.stage import working_in
from tests.missions import mission, task
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.agents, pytest.mark.waits]

LONG = "heat " * 20_000  # more than a pipe holds
HANGING = Reply("One two three four five.", hang_after=2)


def standing_by(longline: Longline) -> int | None:
    """The process that waits for a mission, when there is one: a fork like the runs, but in no run's folder."""
    running = list(working_in(longline.folder / "data" / "runs"))
    forked = [pid for parent in forked_from(longline) for pid in _children(parent)]
    return next((pid for pid in forked if pid not in running), None)


def forked_from(longline: Longline) -> list[int]:
    """The process that others are forked from."""
    return [
        pid
        for pid in _children(longline.processes["worker"].pid)
        if b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def one_waits(longline: Longline, *, but: int | None = None) -> int:
    def look() -> int | None:
        found = standing_by(longline)
        return found if found not in (None, but) and _waits(found) else None

    return int(until(look, what="process that stands by"))


def _waits(pid: int) -> bool:
    """For its order: in a read of a pipe, with all done that can be done before."""
    try:
        return "pipe" in Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return False


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def runs(longline: Longline, pid: int) -> bool:
    return pid in working_in(longline.folder / "data" / "runs")


def test_who_stood_by_runs_the_next_mission_and_another_takes_its_place(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(HANGING)]
    first = one_waits(longline)
    created = longline.client.create(mission())
    until(lambda: runs(longline, first), what="mission in the process that stood by")
    assert one_waits(longline, but=first) != first
    longline.client.cancel(created["id"])
    ended(longline, created["id"], "cancelled")


def test_one_that_is_killed_is_replaced_and_costs_no_mission_an_attempt(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("Done."))]
    first = one_waits(longline)
    os.kill(first, signal.SIGKILL)
    until(lambda: gone(first), what="end of the process")  # it has a last moment, on a busy machine
    created = longline.client.create(mission())
    assert ended(longline, created["id"])["attempt"] == 1
    assert one_waits(longline, but=first) != first


def test_what_processes_are_forked_from_is_replaced_and_knows_no_more_than_the_first(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("Done."))]
    waiting = one_waits(longline)
    [first] = forked_from(longline)
    os.kill(first, signal.SIGKILL)
    created = longline.client.create(mission())
    assert ended(longline, created["id"])["attempt"] == 1
    another = one_waits(longline, but=waiting)
    [second] = forked_from(longline)
    assert second != first
    ours = f"/proc/{longline.processes['worker'].pid}/environ"
    assert b"LONGLINE_DATA" in Path(ours).read_bytes()
    for pid in (second, another):
        assert b"LONGLINE_DATA" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_mission_may_be_larger_than_a_pipe(longline: Longline, model_server: ModelServer) -> None:
    model_server.rules = [Rule(Reply("Done."))]
    one_waits(longline)
    created = longline.client.create(mission(task("draft", description=LONG)))
    assert ended(longline, created["id"])["attempt"] == 1
    assert any(LONG.strip() in exchange.last_message for exchange in model_server.exchanges)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_it_is_gone_with_its_supervisor(longline: Longline, how: str) -> None:
    waiting = one_waits(longline)
    getattr(longline, how)("worker")
    until(lambda: gone(waiting), within_s=5, what="end of the process that stood by")
