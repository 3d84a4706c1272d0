"""docs/api.md does what it says: its commands run as they stand, and its tables leave nothing out."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.api.events import PARAMETERS
from service.errors import ERRORS
from service.events.kinds import Kind
from tests.api.routes import ROUTES
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import Longline

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Notes the status and the address of each call that the page makes.
CURL = """#!/bin/sh
exec {curl} -w '%{{stderr}}%{{http_code}} %{{url_effective}}\\n' "$@" 2>> "{log}"
"""


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS.findall(PAGE.read_text()) if kind == language]


def run_page(folder: Path, url: str) -> tuple[str, list[str]]:
    """Run all commands of the page in one shell. What they printed, and the calls they made."""
    commands, log = folder / "bin", folder / "calls.log"
    commands.mkdir()
    (commands / "curl").write_text(CURL.format(curl=shutil.which("curl"), log=log))
    (commands / "curl").chmod(0o755)
    path = os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks("sh"))],
        cwd=folder,
        env=os.environ | {"LONGLINE_URL": url, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, log.read_text().splitlines()


@pytest.mark.processes
@pytest.mark.agents
def test_every_command_of_the_page_works(
    tmp_path: Path, longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [
        Rule(Reply("wave " * 1000, delay_s=0.05), any="about the sea"),
        Rule(Reply("Heat pumps move heat."), any="about heat pumps"),
    ]
    before = max((mission["id"] for mission in longline.client.missions()), default=0)
    printed, calls = run_page(tmp_path, longline.url)
    assert [call for call in calls if not call.startswith("2")] == [
        f"422 {longline.url}/events?since=0"
    ]
    assert len(calls) >= 20
    assert "STATUS mission.completed" in printed
    assert (tmp_path / "brief.md").read_text() == "Heat pumps move heat."
    made = [mission["id"] for mission in longline.client.missions() if mission["id"] > before]
    brief, twice, *poems = sorted(made)
    longline.client.cancel(twice)  # nobody reviews it, and the server is shared
    for mission_id in (twice, *poems):
        longline.wait_for_status(mission_id, "cancelled")
    assert longline.client.mission(brief)["status"] == "completed"


def test_the_page_names_every_code_every_kind_and_every_parameter() -> None:
    page = PAGE.read_text()
    for name in (*ERRORS, *Kind, *PARAMETERS):
        assert f"`{name}`" in page, name


def test_the_page_has_every_path_and_its_scope() -> None:
    rows = re.findall(r"^\| `([A-Z]+) (/[^`]*)` \| (\w+) \|", PAGE.read_text(), re.MULTILINE)
    shown = [(method, path.replace("{id}", "1"), scope) for method, path, scope in rows]
    assert shown == [(route.method, route.path, route.scope) for route in ROUTES]


def test_what_the_page_shows_is_json() -> None:
    for text in blocks("json"):
        json.loads(text)
