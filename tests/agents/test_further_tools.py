"""An operator's own tools: entry points and crewai-tools by name, and nothing that was not allowed."""

import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from service.agents.context import MissionFailed, MissionResult
from service.config import Settings
from service.events.kinds import Kind
from tests.agents.given import single
from tests.agents.recording import RecordingContext, said
from tests.model_server import ModelServer, Reply, Rule, ToolCall

pytestmark = pytest.mark.agents

Run = Callable[[RecordingContext], MissionResult]

MODULE = '''
from crewai.tools import BaseTool

def weather(city: str, days: int = 1) -> str:
    """Tells the weather of a city."""
    return f"{city}: sun for {days} days"

def silent(city: str) -> str:
    return city

class TideTable(BaseTool):
    name: str = "Tide table"
    description: str = "Tells the tides."
    def _run(self, port: str) -> str:
        return f"{port}: high water at noon"

class Broken(BaseTool):
    name: str = "Broken"
    description: str = "Is broken."
    def __init__(self):
        raise RuntimeError("sk-a-key-that-nobody-may-see")
    def _run(self) -> str:
        return ""

not_a_tool = 7
'''
NAMES = {
    "weather": "weather", "silent": "silent", "TideTable": "TideTable", "broken": "Broken",
    "seven": "not_a_tool", "gone": "is_not_there",
}  # fmt: skip


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution with tools, as pip would leave it."""
    (tmp_path / "our_tools.py").write_text(MODULE)
    info = tmp_path / "our_tools-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-tools\nVersion: 1.0\n")
    lines = [f"{name} = our_tools:{attribute}" for name, attribute in NAMES.items()]
    (info / "entry_points.txt").write_text("\n".join(["[longline.tools]", *lines]))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("our_tools", None)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Longer than what is installed, and shorter than what a mission may ask for."""
    return settings.model_copy(
        update={"tools": ", ".join([*NAMES, "FileReadTool", "not_installed"])}
    )


def calling(name: str, **arguments: object) -> list[Rule]:
    return [Rule(Reply(tool_calls=[ToolCall(name, arguments)]), tools=True, times=1)]


@pytest.mark.usefixtures("installed")
def test_a_function_with_hints_and_a_docstring_is_a_tool(run: Run, server: ModelServer) -> None:
    server.rules = calling("weather", city="Oslo")
    run(RecordingContext(single(tools=["weather"])))
    assert server.exchanges[1].last_message == "Oslo: sun for 1 days"
    (offered,) = server.exchanges[0].request["tools"]
    assert offered["function"]["name"] == "weather"
    assert "Tells the weather" in offered["function"]["description"]


@pytest.mark.usefixtures("installed")
def test_a_crewai_tool_is_a_tool_and_its_gate_holds(run: Run, server: ModelServer) -> None:
    """crewai writes TideTable as tide_table: the gate must not take it for another tool."""
    server.rules = calling("tide_table", port="Oslo")
    spec = single(tools=[{"name": "TideTable", "approve": True}])
    context = RecordingContext(spec, answers=[said({"decision": "reject"})])
    run(context)
    assert len(context.questions) == 1
    assert context.names(Kind.ACTION).count("tool.blocked") == 1
    server.rules = calling("tide_table", port="Oslo")
    server.exchanges.clear()
    run(RecordingContext(single(tools=["TideTable"])))
    assert server.exchanges[1].last_message == "Oslo: high water at noon"


@pytest.mark.filterwarnings("ignore")  # of what it imports
def test_a_tool_of_crewai_tools_is_had_by_the_name_of_its_class(
    run: Run, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("crewai_tools") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("crewai-tools is not installed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "note.txt").write_text("Heat pumps move heat.")
    server.rules = calling("file_read_tool", file_path="note.txt")
    context = RecordingContext(single(tools=["FileReadTool"]))
    run(context)
    assert "Heat pumps move heat." in server.exchanges[1].last_message
    assert context.names(Kind.ACTION).count("tool.finished") == 1


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["silent", "broken", "seven", "gone", "not_installed"])
def test_a_tool_that_cannot_be_had_fails_the_mission_and_says_which(
    run: Run, server: ModelServer, name: str
) -> None:
    with pytest.raises(MissionFailed, match=name) as failed:
        run(RecordingContext(single(tools=[name])))
    assert failed.value.code == "tool_unavailable"
    assert "sk-" not in failed.value.message
    assert server.exchanges == []


@pytest.mark.usefixtures("installed", "prepared")
def test_a_tool_that_is_installed_and_not_allowed_is_refused(settings: Settings) -> None:
    from service.agents import runner

    strict = settings.model_copy(update={"tools": "TideTable"})
    with pytest.raises(MissionFailed) as failed:
        runner.run(RecordingContext(single(tools=["weather"])), strict)
    assert failed.value.code == "tool_not_allowed"
