"""Workers and runs that come back from the dead, or lose their database: they write nothing, and go."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import schema
from service.config import Settings
from service.db import Database
from tests.faults.play import again
from tests.faults.stage import Node, Stage, stopped
from tests.folding import differences, faults
from tests.missions import mission, task
from tests.processes import NO_TLS, Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.waits]

LONG = [task(f"part{n}") for n in range(3)]  # some four seconds
# A second, and one in which the machine did nothing. By themselves they would be gone after four.
GONE_WITHIN_S = 2.5


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two machines, of which one at first has no worker."""
    with Stage(tmp_path_factory.mktemp("zombies"), "postgresql", nodes=2) as running:
        running.nodes[1].stop("worker")
        yield running


def spoken(node: Node, mission_id: int) -> list[Any]:
    return [event for event in node.events(mission_id) if event["kind"] == "STREAM"]


def begun(stage: Stage) -> int:
    """A mission that the first machine runs."""
    node = stage.nodes[0]
    mission_id = int(node.client.create(mission(*LONG))["id"])
    until(lambda: spoken(node, mission_id), what="words")
    return mission_id


def check(node: Node, mission_id: int) -> list[Any]:
    done = node.wait_for_status(mission_id, "completed")
    events = node.events(mission_id)
    assert faults(events) == []
    assert differences(events, done) == {}
    assert again(events) == []
    return events


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists() and bool(
        Path(f"/proc/{pid}/cmdline").read_bytes()  # empty of one that waits to be reaped
    )


def test_who_slept_beyond_its_lease_writes_nothing_and_is_gone(stage: Stage) -> None:
    first, second = stage.nodes
    mission_id = begun(stage)
    [zombie] = first.runs()
    second.start_again("worker")
    with stopped([*first.pids("worker"), zombie]):
        until(
            lambda: any(event["attempt"] == 2 for event in spoken(first, mission_id)),
            what="words of the next attempt",
        )
        assert alive(zombie)
    until(lambda: not alive(zombie), what="end of the zombie")
    events = check(first, mission_id)
    attempts = [event["attempt"] for event in events]
    assert attempts == sorted(attempts)
    assert first.processes["worker"].poll() is None  # it goes on with other missions
    second.all_started()
    second.stop("worker")


def test_a_run_whose_supervisor_was_killed_is_gone_within_a_second(stage: Stage) -> None:
    node = stage.nodes[0]
    mission_id = begun(stage)
    [orphan] = node.runs()
    node.kill("worker")
    began = time.monotonic()
    until(lambda: not alive(orphan), what="end of the orphan")
    assert time.monotonic() - began < GONE_WITHIN_S
    node.start("worker")
    check(node, mission_id)


def test_without_its_database_a_worker_ends_and_another_goes_on_when_it_is_back(
    stage: Stage,
) -> None:
    node = stage.nodes[0]
    mission_id = begun(stage)
    runs = node.runs()
    assert stage.postgres is not None
    stage.postgres.stop()
    node.stop("worker")
    assert not any(alive(pid) for pid in runs)
    node.start_again("worker")  # which waits for the database
    until(lambda: b"does not answer" in node.log("worker"), what="worker that waits")
    stage.postgres.start()
    node.all_started()
    events = check(node, mission_id)
    assert {event["attempt"] for event in events} == {0, 1, 2}


TOKEN = "a token that the operator has chosen"


def test_who_starts_without_a_database_waits_for_it_and_for_its_tables(
    stage: Stage, tmp_path: Path
) -> None:
    """As a platform starts all at once. Then the operator's token is there, too."""
    assert stage.postgres is not None
    stage.postgres.execute("CREATE DATABASE late")
    url = stage.postgres.url("late")
    late = Longline(tmp_path, DATABASE_URL=url, LONGLINE_ADMIN_TOKEN=TOKEN)
    stage.postgres.stop()
    with late_processes(late):
        until(lambda: status(late, "/healthz") == 200, within_s=60, what="web that is up")
        assert (status(late, "/readyz"), status(late, "/missions")) == (503, 503)
        told(late, b"Connection refused")
        stage.postgres.start()
        told(late, b"longline migrate")
        assert status(late, "/readyz") == 503
        with closing(Database(Settings(data=tmp_path, database_url=url))) as db:
            schema.upgrade(db)
        until(lambda: status(late, "/readyz") == 200, what="web that is ready")
        assert status(late, "/missions") == 401
        assert status(late, "/missions", Authorization=f"Bearer {TOKEN}") == 200
        assert b"Traceback" not in late.log("web") + late.log("sender")


@contextmanager
def late_processes(late: Longline) -> Iterator[None]:
    for name in ("web", "sender"):
        late.launch(name)
    running = late.processes["sender"]
    try:
        yield
        assert running.poll() is None
    finally:
        late.__exit__()


def status(of: Longline, path: str, **headers: str) -> int:
    try:
        return httpx.get(f"{of.url}{path}", headers=headers, verify=NO_TLS).status_code
    except httpx.TransportError:
        return 0


def told(late: Longline, why: bytes) -> None:
    """Web and sender say what they wait for; the web process when it is asked."""

    def both() -> bool:
        status(late, "/readyz")
        return all(why in late.log(name) for name in ("web", "sender"))

    until(both, what="processes that say why")


def test_a_web_process_without_its_database_ends_when_told(stage: Stage) -> None:
    node = stage.nodes[1]
    assert stage.postgres is not None
    stage.postgres.stop()
    until(
        lambda: httpx.get(f"{node.url}/readyz", verify=NO_TLS).status_code == 503,
        what="web that misses it",
    )
    os.kill(node.processes["web"].pid, signal.SIGTERM)
    began = time.monotonic()
    node.processes.pop("web").wait(30)
    stage.postgres.start()
    assert time.monotonic() - began < 15  # gunicorn's grace is 20
