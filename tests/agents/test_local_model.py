"""The embedded model: one server for all who use it, and none when nobody does."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from service.agents import local_model
from service.agents.context import MissionFailed
from service.config import LOCAL_MODEL, Settings
from service.events.kinds import Kind
from tests.agents.given import agent, mission, task
from tests.agents.recording import RecordingContext

pytestmark = [
    pytest.mark.agents,
    pytest.mark.alone,
    pytest.mark.skipif(find_spec("xllamacpp") is None, reason="needs the `local` extra"),
]

# Another process that uses the model until its stdin ends; prints the server's pid.
USER = """
import sys
from pathlib import Path
from service.agents import local_model
from service.config import Settings
settings = Settings(data=Path(sys.argv[1]))
endpoint = local_model.ensure(settings)
print(local_model.running(settings)["pid"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, model=LOCAL_MODEL)


@contextmanager
def user(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", USER, str(settings.data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def printed_pid(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def pid_of(settings: Settings) -> int | None:
    found = local_model.running(settings)
    return found["pid"] if found else None


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_share_one_server_which_ends_with_the_last_of_them(settings: Settings) -> None:
    with user(settings) as one, user(settings) as two:
        server = printed_pid(one)
        assert printed_pid(two) == server
        one.send_signal(signal.SIGKILL)
        one.wait()
        time.sleep(1.2)  # a look of the server, and more
        assert pid_of(settings) == server
    wait_until(lambda: not alive(server), 10)


def test_a_server_that_died_is_started_again(settings: Settings) -> None:
    first = local_model.ensure(settings)
    server = pid_of(settings)
    assert server is not None
    os.kill(server, signal.SIGKILL)
    second = local_model.ensure(settings)
    assert pid_of(settings) not in (None, server)
    assert first.api_key != second.api_key


def test_only_its_user_can_read_its_key_and_its_log(settings: Settings) -> None:
    endpoint = local_model.ensure(settings)
    folder = settings.data / local_model.FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    holding = [path for path in folder.iterdir() if endpoint.api_key in path.read_text()]
    assert [path.name for path in holding] == ["state.json"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600


def test_a_missing_extra_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "find_spec", lambda name: None)
    with pytest.raises(MissionFailed, match="`local` extra") as failed:
        local_model.ensure(settings)
    assert failed.value.code == "local_model_unavailable"


def test_a_server_that_does_not_start_is_an_error_that_names_its_log(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    monkeypatch.setattr(local_model, "_weights", lambda: broken)
    with pytest.raises(MissionFailed, match=r"server\.log"):
        local_model.ensure(settings)


@pytest.mark.usefixtures("prepared")
def test_a_mission_runs_on_the_embedded_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.agents import runner

    monkeypatch.setattr(local_model, "MAX_TOKENS", 40)
    writer = agent("writer") | {"role": "Writer", "goal": "Write about heat pumps."}
    plan = [task("draft", "writer", description="Write two sentences about heat pumps.")]
    context = RecordingContext(mission([writer], plan, model=LOCAL_MODEL))
    result = runner.run(context, settings)
    assert len(result.text) > 20
    assert len(context.of(Kind.STREAM, "text")) > 10
    assert context.sum_of("prompt_tokens") > 0
    assert context.sum_of("completion_tokens") > 0
