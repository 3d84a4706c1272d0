"""Every command that the documentation shows in a ```sh block works as it stands."""

import json
import re
import shlex
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import main
from service.client import ApiError
from tests.acceptance.pages import ROOT, blocks, pages, run
from tests.debian import need
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import Longline, until

ELSEWHERE = {
    "make demo\n",  # by test_demo
    'longline doctor "$LONGLINE_URL" --json\n',  # by test_doctor: it takes half a minute
}
OWN_TESTS = {"api.md"}  # by test_docs_api, which looks closer
OURS = re.compile(r"(?:^|[ /])longline ((?!longline )[a-z]+(?: .*)?$)")
IN_PYTHON = {"getting-started.md"}  # its blocks of Python run too, behind the commands
LINK = re.compile(r"\]\(([^)#\s]+)")
PAGES = [page for page in pages() if blocks(page, "sh") and page.name not in OWN_TESTS]


def commands(page: Path) -> list[str]:
    found = [block for block in blocks(page, "sh") if block not in ELSEWHERE]
    if page.name in IN_PYTHON:
        found += [f"python3 - <<'END'\n{block}END" for block in blocks(page, "python")]
    return found


def cancel_what_waits(longline: Longline) -> None:
    """The server is shared, and missions that nobody reviews would take its places."""
    for mission in longline.client.missions(status="queued,running,waiting"):
        with suppress(ApiError):  # it has ended meanwhile
            longline.client.cancel(mission["id"])
        until(lambda: longline.client.mission(mission["id"])["ended_at"], what="end")  # noqa: B023


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that nobody has used; each page has its own copy."""
    folder = tmp_path_factory.mktemp("migrated")
    run(["longline migrate"], folder, LONGLINE_DATA=str(folder / "data"))
    return folder / "data"


@pytest.mark.processes
@pytest.mark.agents
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_works(
    page: Path, tmp_path: Path, migrated: Path, longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("Heat pumps move heat."), any="heat pumps")]
    if any("jq" in block for block in commands(page)):
        need(jq="jq")
    data = shutil.copytree(migrated, tmp_path / "data")
    try:
        run(commands(page), tmp_path, LONGLINE_URL=longline.url, LONGLINE_DATA=str(data))
    finally:
        cancel_what_waits(longline)


def test_what_is_shown_and_not_run_names_commands_and_options_that_there_are() -> None:
    """Commands that would stay, or send something away: parsed, up to --help."""
    lines = [
        line for page in pages() for block in blocks(page, "text") for line in block.split("\n")
    ]
    shown = [found[1] for line in lines if (found := OURS.search(line.partition("#")[0]))]
    assert len(shown) >= 12
    for command in shown:
        done = CliRunner().invoke(main, [*shlex.split(command), "--help"])
        assert done.exit_code == 0, (command, done.output)


@pytest.mark.processes
@pytest.mark.agents
def test_the_recipes_of_the_first_half_need_no_jq_and_miss_nothing(
    tmp_path: Path, longline: Longline, model_server: ModelServer
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("jq", "python3"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\nexit 99\n")
        (tmp_path / "bin" / name).chmod(0o755)
    half, _, _ = (ROOT / "docs" / "curl.md").read_text().partition("## The same with jq")
    (tmp_path / "half.md").write_text(half)
    recipes = blocks(tmp_path / "half.md", "sh")
    run(recipes, tmp_path, path=str(tmp_path / "bin"), LONGLINE_URL=longline.url)
    followed = [json.loads(line) for line in (tmp_path / "pages.ndjson").read_text().splitlines()]
    events = [event for page in followed for event in page["events"]]
    assert events == longline.events(events[0]["mission"])


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target
