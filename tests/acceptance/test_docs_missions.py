"""docs/missions.md and docs/models.md: their examples run as they stand, and they leave no key out."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from pydantic import BaseModel

from service import config
from service.agents import providers
from service.agents.models import OPENAI
from service.config import LOCAL_MODEL, Settings
from service.missions.spec import TOOLS, AgentSpec, MissionSpec, TaskSpec
from service.tariff import Price
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import Longline

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIMITS = ("limits.max_seconds", "limits.max_tokens", "limits.max_cost_usd")


def page(name: str) -> str:
    return (DOCS / name).read_text()


def blocks(name: str, language: str) -> list[str]:
    return [text for kind, text in BLOCKS.findall(page(name)) if kind == language]


@pytest.mark.processes
@pytest.mark.agents
def test_the_commands_about_files_work(
    tmp_path: Path, longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("They move heat."))]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks("missions.md", "sh"))],
        cwd=tmp_path,
        env=os.environ | {"LONGLINE_URL": longline.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    created = json.loads(done.stdout)
    longline.wait_for_status(created["id"], "completed")
    (offered,) = [
        tool["function"]["description"]
        for tool in model_server.exchanges[0].request["tools"]
        if tool["function"]["name"] == "read_file"
    ]
    assert "notes.md (22 bytes)" in offered


def test_the_missions_that_are_shown_are_missions() -> None:
    shown = blocks("missions.md", "json")
    assert len(shown) == 2
    for text in shown:
        MissionSpec.model_validate_json(text)


@pytest.mark.parametrize("part", [MissionSpec, AgentSpec, TaskSpec])
def test_every_key_of_a_mission_is_explained(part: type[BaseModel]) -> None:
    for key in part.model_fields:
        assert f"`{key}`" in page("missions.md"), key


def test_every_tool_limit_and_choice_is_explained() -> None:
    for name in (*TOOLS, *LIMITS, "resume", "restart", "fail", "ask", "sequential", "hierarchical"):
        assert re.search(rf"[`\"]{re.escape(name)}[`\"]", page("missions.md")), name


def test_every_provider_is_explained() -> None:
    assert f"`{LOCAL_MODEL}`" in page("models.md")
    for prefix in (OPENAI, *providers.ALL):
        assert f"`{prefix}/NAME`" in page("models.md"), prefix


def test_the_prices_that_are_shown_are_prices(tmp_path: Path) -> None:
    (shown,) = blocks("models.md", "json")
    file = tmp_path / "prices.json"
    file.write_text(shown)
    table = Settings(prices=file).price_table
    assert table["local"] == Price(input=0, output=0)
    assert table["openai/our-own-70b"].cached_or_input == 0.4


@pytest.mark.agents
def test_the_tool_that_is_shown_is_a_tool(tmp_path: Path) -> None:
    config.prepare_agent_environment(Settings(data=tmp_path))
    from service.agents.tools import further

    (shown,) = blocks("models.md", "python")
    names: dict[str, object] = {}
    exec(shown, names)
    tool = further._as_tool("weather", names["weather"])
    assert tool.run(city="Oslo") == "Oslo: sun for 1 days"
    assert set(tool.args_schema.model_fields) == {"city", "days"}
