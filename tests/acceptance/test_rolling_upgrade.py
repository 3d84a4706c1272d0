"""Two versions on one database: each serves, runs and answers what the other began; then the old one goes.

The old version is the newest release, or LONGLINE_UPGRADE_FROM. Before the first release it is the last
commit, if its tables are this checkout's: then what is shown is that two deployments get along.
"""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.checking import ended
from tests.conftest import settings_for
from tests.faults.stage import stopped
from tests.folding import differences, faults
from tests.missions import mission, task
from tests.model_server import ModelServer, Reply, Rule
from tests.postgres import PostgresServer, execute
from tests.processes import Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.agents, pytest.mark.waits]

ROOT = Path(__file__).resolve().parents[2]
CODE = ("service", "models", "migrations", "static", "setup.cfg")


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, check=True).stdout


def old_version() -> str | None:
    """The commit to upgrade from; None when this checkout is all there is."""
    chosen = os.environ.get("LONGLINE_UPGRADE_FROM")
    if chosen:
        return chosen
    try:
        released = git("tag", "--merged", "HEAD", "--sort=-creatordate", "--list", "v*").split()
        if released:
            return released[0].decode()
        git("diff", "--quiet", "HEAD", "--", "models", "migrations")
    except (OSError, subprocess.CalledProcessError):
        return None
    return "HEAD"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old version's code in a folder of its own."""
    version = old_version()
    if version is None:
        return ROOT
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=io.BytesIO(git("archive", version, *CODE))) as code:
        code.extractall(folder, filter="data")
    found = subprocess.run(
        [sys.executable, "-c", "import service; print(service.__file__)"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.startswith(str(folder)), "the installed version hides the old one"
    return folder


@pytest.fixture(scope="module")
def versions(
    tmp_path_factory: pytest.TempPathFactory, _shared_server: ModelServer, checkout: Path
) -> Iterator[tuple[Longline, Longline]]:
    """The old version, and this one started beside it as an upgrade does: migrate first."""
    with PostgresServer() as server:
        execute(server.url(), "CREATE DATABASE upgrade")
        settings = settings_for(_shared_server) | {
            "DATABASE_URL": server.url("upgrade"),
            "LONGLINE_CONCURRENCY": "2",
            "LONGLINE_DRAIN_S": "0",
        }
        of_old, of_new = (tmp_path_factory.mktemp(name) for name in ("of_old", "of_new"))
        old = Longline(of_old, checkout=checkout, **settings)
        migrate(old, checkout)
        with old:
            new = Longline(of_new, **settings)
            migrate(new)  # as the release phase does, while the old one serves
            with new:
                yield old, new


def migrate(longline: Longline, checkout: Path | None = None) -> None:
    subprocess.run(
        [sys.executable, "-m", "service.cli", "migrate"],
        env=longline.environment, cwd=checkout, capture_output=True, check=True,
    )  # fmt: skip


def reviewed() -> dict[str, Any]:
    return mission(task("draft", human_input=True), human={"timeout_s": 600})


def check(longline: Longline, mission_id: int) -> None:
    mission = ended(longline, mission_id)
    events = longline.events(mission_id)
    assert faults(events) == []
    assert differences(events, mission) == {}


def test_what_one_version_began_the_other_goes_on_with(
    versions: tuple[Longline, Longline], model_server: ModelServer
) -> None:
    old, new = versions
    model_server.rules = [Rule(Reply("Heat pumps move heat."))]
    made = [(web.client.create(reviewed())["id"], web) for web in (old, new) for _ in range(2)]
    for mission_id, web in made:
        other = new if web is old else old
        question = other.wait_for_question(mission_id)
        other.client.answer(question["id"], "")
    for mission_id, web in made:
        other = new if web is old else old
        check(other, mission_id)
        assert web.events(mission_id) == other.events(mission_id)
    for version in (old, new):
        until(lambda: b": begins" in version.log("worker"), what="work of each")  # noqa: B023


def test_a_version_that_goes_leaves_everything_to_the_other(
    versions: tuple[Longline, Longline], model_server: ModelServer
) -> None:
    old, new = versions
    model_server.rules = [Rule(Reply("Heat pumps move heat."))]
    old.start_missing()
    with stopped([new.processes["worker"].pid]):
        mission_id = old.client.create(reviewed())["id"]
        question = old.wait_for_question(mission_id)  # asked by the old worker
    old.stop("worker")
    old.stop("web")
    again = new.wait_for_question(mission_id)
    assert again["id"] == question["id"]  # the same question, in another version's run
    new.client.answer(again["id"], "")
    check(new, mission_id)
