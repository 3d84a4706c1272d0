"""The two commands of the README on the embedded model: real words, no key, nothing left behind."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.client import Client
from tests.folding import differences, faults
from tests.missions import names, spoken
from tests.processes import NOT_OURS, until

pytestmark = [pytest.mark.processes, pytest.mark.agents, pytest.mark.alone]

ROOT = Path(__file__).resolve().parents[2]
# The embedded model is the slowest part; a busy machine has it at a few tokens a second.
WITHIN_S = 240.0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`make demo` without a terminal, and the file that it prints into."""
    output = tmp_path / "demo.log"
    environment = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
    with output.open("wb") as out:
        process = subprocess.Popen(
            ["make", "demo", f"DEMO=--data {tmp_path / 'data'} --port 18300"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    yield process, output
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def test_the_demo_speaks_asks_and_completes_and_stops_all_that_it_started(
    demo: tuple[subprocess.Popen[bytes], Path], tmp_path: Path
) -> None:
    process, output = demo
    until(lambda: "The page stays" in output.read_text(), within_s=WITHIN_S, what="end of the demo")
    found = re.search(r"The page:  (http://127\.0\.0\.1:\d+)/m/(\d+)", output.read_text())
    assert found is not None
    url, mission_id = found[1], int(found[2])

    with Client(url) as client:
        ended = client.mission(mission_id)
        events = list(client.follow(mission_id))
    assert "<title>" in httpx.get(f"{url}/m/{mission_id}").text
    assert ended["status"] == "completed"
    assert names(events, "STREAM").count("text") > 10
    assert ended["usage"]["completion_tokens"] > 0
    assert names(events, "HUMAN_RESPONSE") == ["answered"]
    assert all(text.strip() for text in spoken(events).values())
    assert differences(events, ended) == {}
    assert faults(events) == []
    assert '"logger":' not in output.read_text()  # the processes log beside it
    assert '"logger":' in (tmp_path / "data" / "longline.log").read_text()

    os.killpg(process.pid, signal.SIGINT)  # what a terminal's Ctrl-C does
    process.wait(60)
    until(lambda: not running_in(tmp_path), what="processes gone")


def running_in(folder: Path) -> list[str]:
    """Command lines and environments of processes that still know the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            known = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder / "data").encode() in known:
            found.append(process.name)
    return found
