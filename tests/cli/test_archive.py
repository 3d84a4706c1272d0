"""A mission as a file: all of it comes back, under new numbers; and it can be played as if it were live."""

import json
import zipfile
from pathlib import Path

import httpx
import pytest

from service.client import Client
from service.missions import files
from tests.cli.terminal import Terminal, environment, piped
from tests.client.writer import Writer
from tests.contract import given as the
from tests.folding import differences, faults
from tests.processes import NO_TLS, Longline, free_port, until

pytestmark = [pytest.mark.processes, pytest.mark.waits]


@pytest.fixture
def archive(web: Longline, writer: Writer, tmp_path: Path) -> Path:
    """A mission with a question, its answer and a file."""
    claim = writer.begin()
    writer.say(claim, 3)
    the.record(writer.db, claim, the.usage(10, 5, 0.5))
    request_id = writer.ask(claim)
    the.answer(writer.db, request_id, "yes")
    with writer.db.transaction() as conn:
        files.store_output(conn, claim.mission_id, "brief.md", b"# Brief", task="draft")
    the.finish_task(writer.db, claim, "research")
    writer.complete(claim)
    target = tmp_path / "mission.zip"
    env = environment(LONGLINE_URL=web.url)
    export = ("export", str(claim.mission_id), "-o", str(target), "--json")
    done = piped(*export, env=env)
    assert done.returncode == 0, done.stderr
    told = {"mission": claim.mission_id, "file": str(target), "bytes": target.stat().st_size}
    assert json.loads(done.stdout) == told
    return target


def test_what_was_exported_is_imported_and_nothing_runs(web: Longline, archive: Path) -> None:
    old = web.client.mission(web.client.missions(limit=1)[0]["id"])
    done = piped(
        "import", str(archive), env=environment(LONGLINE_DATA=web.environment["LONGLINE_DATA"])
    )
    assert done.returncode == 0, done.stderr
    new = web.client.mission(int(done.stdout))
    events = web.events(new["id"])
    assert faults(events) == []
    assert differences(events, new) == {}
    assert len(events) == len(web.events(old["id"]))
    for name in (
        "title",
        "status",
        "result",
        "usage",
        "progress",
        "spec",
        "started_at",
        "ended_at",
    ):
        assert new[name] == old[name], name
    [asked] = web.client.questions(new["id"])
    assert (asked["status"], asked["answer"]) == ("answered", "yes")


@pytest.mark.parametrize("content", [b"no zip", None])
def test_what_is_no_archive_is_refused_and_changes_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.zip"
    if content is None:
        with zipfile.ZipFile(file, "w") as made:
            made.writestr("mission.json", '{"format": 1, "mission": {}}')
            made.writestr("events.ndjson", '{"mseq": 2}\n')
    else:
        file.write_bytes(content)
    done = piped("import", str(file), env=environment(LONGLINE_DATA=str(tmp_path / "data")))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_replay_is_followed_like_a_live_mission(archive: Path) -> None:
    port = free_port()
    arguments = ("replay", str(archive), "--speed", "50", "--port", str(port))
    with Terminal(*arguments, env=environment()) as terminal:
        terminal.wait_for(f":{port}/m/1")
        until(lambda: is_up(port), what="server")
        with Client(f"http://127.0.0.1:{port}") as client:
            events = list(client.follow(1))
        assert faults(events) == []
        assert events[-1]["name"] == "mission.completed"
        terminal.type("\x03")
        assert terminal.ended() == 0


def is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", verify=NO_TLS).is_success
    except httpx.TransportError:
        return False
