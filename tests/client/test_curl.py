"""The loops of docs/curl.md, taken from the page, follow a mission through what networks and operators do."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.pages import ROOT, blocks
from tests.chaos import ChaosProxy
from tests.client.test_follow import copy, forget, restore
from tests.client.writer import Writer
from tests.debian import need
from tests.processes import Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.waits]

BAD = ("pass", "cut", "page_502", "pass", "cut_without_length", "drop", "page_200", "pass", "old")
# The page's own pauses are for people's networks; what is tested does not depend on their length.
PRELUDE = "sleep() { command sleep 0.1; }"


class Loop:
    """A loop of the page in a shell of its own."""

    def __init__(self, folder: Path, url: str, call: str) -> None:
        folder.mkdir()
        page = blocks(ROOT / "docs" / "curl.md", "sh")
        defined = [block for block in page if "() {" in block and "finish" not in block]
        script = "\n".join([PRELUDE, *defined, call])
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                ["bash", "-uo", "pipefail", "-c", script],
                cwd=folder, env={"PATH": "/usr/bin:/bin", "LONGLINE_URL": url}, stdout=out,
                stderr=err, process_group=0,
            )  # fmt: skip

    @property
    def text(self) -> str:
        return self._out.read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        """Of the lines that are whole by now."""
        lines = self.text.splitlines(keepends=True)
        pages = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for page in pages for event in page["events"]]

    def ended(self) -> tuple[int, str]:
        return self.process.wait(30), self._err.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def loops() -> Iterator[list[Loop]]:
    started: list[Loop] = []
    yield started
    for loop in started:
        loop.kill()


def test_the_loops_lose_and_double_nothing_behind_a_bad_proxy_over_a_restart_and_a_prune(
    own_web: Longline, own_writer: Writer, tmp_path: Path, loops: list[Loop]
) -> None:
    need(jq="jq")
    claim = own_writer.begin()
    with ChaosProxy(own_web.url, BAD) as proxy:
        plain = Loop(tmp_path / "plain", proxy.url, f"follow {claim.mission_id}")
        loops.append(plain)
        with_jq = Loop(tmp_path / "jq", proxy.url, f"follow_jq {claim.mission_id}")
        loops.append(with_jq)
        for count in (3, 6, 9, 12):
            own_writer.say(claim, 3)
            until(lambda: len(plain.events) >= count + 2, what="events")  # noqa: B023
            until(lambda: with_jq.text == "word " * count, what="text")  # noqa: B023
        own_web.stop("web")
        own_writer.say(claim, 3)
        forget(own_writer, before=10)  # both have seen these
        own_web.start("web")
        own_writer.complete(claim)
        assert plain.ended()[0] == with_jq.ended()[0] == 0
        assert set(proxy.done) >= set(BAD)
    assert [event["mseq"] for event in plain.events] == list(range(1, 2 + 15 + 3 + 1))
    assert with_jq.text == "word " * 15

    pruned = Loop(tmp_path / "pruned", own_web.url, f"follow {claim.mission_id} 3")
    loops.append(pruned)
    code, error = pruned.ended()
    assert (code, "cursor_expired" in error, pruned.text) == (1, True, "")


def test_a_restored_database_ends_the_loop_with_an_error(
    own_web: Longline, own_writer: Writer, tmp_path: Path, loops: list[Loop]
) -> None:
    need(jq="jq")
    claim = own_writer.begin()
    own_writer.say(claim, 5)
    backup = own_web.folder / "backup.db"
    copy(own_web.folder / "data" / "longline.db", backup)
    own_writer.say(claim, 10)
    with ChaosProxy(own_web.url) as proxy:
        for name, url in (("direct", own_web.url), ("behind", proxy.url)):
            loops.append(Loop(tmp_path / name, url, f"follow {claim.mission_id}"))
        loops.append(Loop(tmp_path / "jq", proxy.url, f"follow_jq {claim.mission_id}"))
        direct, behind, with_jq = loops
        until(lambda: len(direct.events) == len(behind.events) == 17, what="events")
        until(lambda: with_jq.text == "word " * 15, what="text")
        proxy.use("page_502")
        restore(own_web, own_writer, backup)
        code, error = direct.ended()
        assert (code, "cursor_ahead" in error) == (1, True)

        rename_feeds(own_web)
        own_writer.say(claim, 20)  # past the cursor: by the numbers alone nobody could tell
        proxy.use("pass")
        code, error = behind.ended()
        assert (code, "another database" in error) == (1, True)
        assert len(behind.events) == 17
        code, error = with_jq.ended()
        assert (code, "another database" in error) == (1, True)
        assert with_jq.text == "word " * 15


def rename_feeds(web: Longline) -> None:
    """What the manual says to do behind a restoration."""
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", "workspace", "rename-feed"],
        env=web.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "default" in done.stdout
