"""Whatever a run says, in whatever way, is in its log; also what it said last before it crashed."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.noisy import FLOOD
from tests.conftest import settings_for
from tests.folding import differences, faults
from tests.missions import mission, names
from tests.model_server import ModelServer
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]

SECRET = "a-key-that-nobody-may-see"


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Longline]:
    folder = tmp_path_factory.mktemp("noisy")
    with ModelServer() as server:
        environment = {
            **settings_for(server),
            "SOME_API_KEY": SECRET,
            "LONGLINE_CHILD_ENV": "SOME_*",
        }
        worker = "tests.acceptance.noisy_worker"
        with Longline(folder, worker_module=worker, **environment) as running:
            yield running


def lines(events: list[dict[str, Any]], name: str) -> list[str]:
    return [e["data"]["line"] for e in events if e["kind"] == "LOG" and e["name"] == name]


def test_nothing_that_a_run_says_is_lost(noisy: Longline) -> None:
    created = noisy.client.create(mission())
    ended = noisy.wait_for_status(created["id"], "completed", "failed", within_s=90)

    events = noisy.events(created["id"])
    stdout, logged = lines(events, "stdout"), lines(events, "log")
    assert stdout[:3] == ["printed", "written below Python", "said by a child of its own"]
    assert stdout[3:5] == ["ünïcödé ☀️ ?", "no end of line"]
    assert stdout[5:] == [f"line {n}" for n in range(FLOOD)]
    assert "printed to stderr" in lines(events, "stderr")
    assert any("warned" in line for line in lines(events, "stderr"))
    assert logged == ["logged with arguments", "key [redacted]"]
    assert differences(events, ended) == {}
    assert faults(events) == []


def test_a_crash_keeps_its_last_words_and_is_tried_three_times(noisy: Longline) -> None:
    created = noisy.client.create(mission(title="crash"))
    ended = noisy.wait_for_status(created["id"], "completed", "failed", within_s=90)

    events = noisy.events(created["id"])
    assert ended["status"] == "failed"
    assert ended["error"]["code"] == "worker_lost"
    assert "SIGABRT" in ended["error"]["message"]
    assert lines(events, "stdout").count("no end of line") == 3
    assert any("Fatal Python error" in line for line in lines(events, "stderr"))
    assert names(events, "ERROR") == ["worker_lost"] * 3
    assert differences(events, ended) == {}
    assert faults(events) == []


def test_a_secret_of_the_environment_is_nowhere(noisy: Longline) -> None:
    created = noisy.client.create(mission())
    noisy.wait_for_status(created["id"], "completed", "failed", within_s=90)

    assert SECRET not in str(noisy.events(created["id"], kind="-STREAM"))
    for name in ("web", "worker"):
        assert SECRET.encode() not in noisy.log(name)
    for file in (noisy.folder / "data").glob("longline.db*"):
        assert SECRET.encode() not in file.read_bytes()
