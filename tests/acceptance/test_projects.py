"""Projects as their frameworks' own commands make them, run by real workers, unchanged but for a question."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import config
from tests.conftest import settings_for
from tests.folding import differences, faults
from tests.missions import names, spoken
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]

SECRET = "a-key-of-the-project-alone"

GRAPH = """
from typing import TypedDict
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt


class State(TypedDict, total=False):
    topic: str
    draft: str
    verdict: str


def draft(state: State) -> State:
    model = ChatOpenAI(model="scripted-1")
    return {"draft": model.invoke(f"task draft about {state['topic']}").content}


def review(state: State) -> State:
    first = interrupt({"question": "Is it good?", "draft": state["draft"]})
    second = interrupt("Are you sure?")
    open("verdict.txt", "w").write(f"{first}, {second}")
    return {"verdict": f"{first}, {second}"}


builder = StateGraph(State)
builder.add_node(draft)
builder.add_node(review)
builder.add_edge(START, "draft")
builder.add_edge("draft", "review")
builder.add_edge("review", END)
graph = builder.compile()
"""

AGENT = '''
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_openai import ChatOpenAI


def send(to: str) -> str:
    """Sends the letter."""
    return f"sent to {to}"


def build():
    gate = HumanInTheLoopMiddleware(interrupt_on={"send": True})
    return create_agent(ChatOpenAI(model="scripted-1"), [send], middleware=[gate])
'''

FLOW = '''
from crewai.flow import Flow, human_feedback, listen, start
from pydantic import BaseModel


class State(BaseModel):
    topic: str = "rain"


class ReviewFlow(Flow[State]):
    """Drafts a line and has it reviewed."""

    @start()
    def colour(self):
        return self.ask("Which colour?")

    @human_feedback(message="Is this line right?")
    @listen(colour)
    def line(self, colour):
        return f"The {self.state.topic} is {colour}."

    @listen(line)
    def close(self, result):
        return f"{result.output} / {result.feedback}"
'''


def create(folder: Path, *arguments: str) -> None:
    """The framework's own command, as a user calls it."""
    command = [sys.executable, "-m", "crewai_cli.cli", "create", *arguments, "--skip-provider"]
    if arguments[0] == "flow":
        command.remove("--skip-provider")
    entry = "from crewai_cli.cli import crewai; crewai()"
    subprocess.run(
        [sys.executable, "-c", entry, *command[3:]],
        cwd=folder,
        env=config.environment(CREWAI_DMN="true", **config.AGENT_ENVIRONMENT),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def made(folder: Path) -> dict[str, str]:
    """Each kind of project, by the name that it is registered under."""
    create(folder, "crew", "json_crew")
    replace(folder / "json_crew" / "crew.jsonc", '"memory": true', '"memory": false')
    create(folder, "crew", "classic_crew", "--classic")
    crew = folder / "classic_crew" / "src" / "classic_crew" / "crew.py"
    replace(
        crew,
        "        return Crew(",
        '        print("Two tones are offered.")\n'
        '        self.tone = input("Which tone? ")\n'
        "        return Crew(",
    )
    replace(crew, "output_file='report.md'", "output_file='report.md', human_input=True")
    (folder / "classic_crew" / ".env").write_text(f"PROJECT_API_KEY={SECRET}\n")
    create(folder, "flow", "written_flow")
    (folder / "written_flow" / "src" / "written_flow" / "main.py").write_text(FLOW)
    create(folder, "flow", "declared_flow", "--declarative")
    graph = folder / "graph"
    graph.mkdir()
    (graph / "langgraph.json").write_text('{"graphs": {"agent": "./agent.py:graph"}}')
    (graph / "agent.py").write_text(GRAPH)
    (graph / "sender.py").write_text(AGENT)
    folders = ("json_crew", "classic_crew", "written_flow", "declared_flow", "graph")
    return {name: str(folder / name) for name in folders} | {
        "agent": f"{graph / 'sender.py'}:build"
    }


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, endpoint: ModelServer) -> Iterator[Longline]:
    folder = tmp_path_factory.mktemp("projects")
    targets = ",".join(f"{name}={where}" for name, where in made(folder).items())
    environment = {**settings_for(endpoint), "LONGLINE_PROJECTS": targets}
    with Longline(folder, **environment) as longline:
        yield longline


@pytest.fixture
def server(endpoint: ModelServer) -> ModelServer:
    endpoint.rules, endpoint.exchanges = [], []
    return endpoint


def ended_whole(longline: Longline, server: ModelServer, mission_id: int) -> Any:
    """The completed mission, once all that must hold of any mission has been seen to hold."""
    ended = longline.wait_for_status(mission_id, "completed", "failed", within_s=90)
    events = longline.events(mission_id)
    assert ended["status"] == "completed", ended["error"]
    assert differences(events, ended) == {}
    assert faults(events) == []
    assert list(spoken(events).values()) == [text for text in server.texts() if text]
    for name in ("prompt_tokens", "completion_tokens"):
        assert ended["usage"][name] == server.total(name)
    return ended


def answer_all(longline: Longline, mission_id: int, *answers: Any) -> list[Any]:
    """Answer its questions one after the other; returns them as they were asked."""
    asked = []
    for answer in answers:
        question = longline.wait_for_question(mission_id)
        longline.client.answer(question["id"], answer)
        asked.append(question)
    return asked


def start(longline: Longline, project: str, **inputs: Any) -> int:
    return int(longline.client.create({"project": project, "inputs": inputs})["id"])


def files_of(longline: Longline, mission_id: int) -> dict[str, bytes]:
    found = longline.client.missions.files(mission_id)
    return {file["name"]: longline.client.file(file["id"]) for file in found}


def test_projects_are_offered_with_what_they_take(running: Longline) -> None:
    offered = {p["name"]: p for p in httpx.get(f"{running.url}/projects").json()["projects"]}
    assert {name: (p["kind"], p["engine"]) for name, p in offered.items()} == {
        "json_crew": ("crew", "crewai"),
        "classic_crew": ("crew", "crewai"),
        "written_flow": ("flow", "crewai"),
        "declared_flow": ("flow", "crewai"),
        "graph": ("graph", "langchain"),
        "agent": ("graph", "langchain"),
    }
    assert offered["classic_crew"]["inputs"]["required"] == ["current_year", "topic"]
    assert offered["written_flow"]["inputs"]["properties"]["topic"]["default"] == "rain"
    assert all(str(running.folder) not in str(project) for project in offered.values())


def test_a_json_crew_runs(running: Longline, server: ModelServer) -> None:
    mission_id = start(running, "json_crew")
    ended = ended_whole(running, server, mission_id)
    assert ended["progress"] == {"done": 1, "total": 1}
    assert ended["spec"]["project"] == "json_crew"


def test_a_classic_crew_asks_by_input_and_for_a_review_and_writes_a_report(
    running: Longline, server: ModelServer
) -> None:
    server.rules = [Rule(Reply("A better report."), any="Shorter, please.")]
    mission_id = start(running, "classic_crew", topic="rain", current_year="2026")
    tone, review, _ = answer_all(running, mission_id, "calm", "Shorter, please.", "")
    ended = ended_whole(running, server, mission_id)
    assert tone["prompt"] == "Which tone?"
    assert "Two tones are offered." in tone["context"]
    assert review["task"] == "reporting_task"
    assert ended["result"]["text"] == "A better report."
    assert ended["progress"] == {"done": 2, "total": 2}
    assert files_of(running, mission_id)["report.md"] == b"A better report."
    assert SECRET not in str(running.events(mission_id))


def test_a_flow_asks_and_takes_feedback(running: Longline, server: ModelServer) -> None:
    mission_id = start(running, "written_flow", topic="sky")
    colour, line = answer_all(running, mission_id, "grey", "Very good.")
    ended = ended_whole(running, server, mission_id)
    assert colour["prompt"] == "Which colour?"
    assert (line["prompt"], line["context"]) == ("Is this line right?", "The sky is grey.")
    assert ended["result"]["text"] == "The sky is grey. / Very good."
    started = [e["task"] for e in running.events(mission_id) if e["name"] == "task.started"]
    assert started == ["colour", "line", "close"]


def test_a_declared_flow_runs_with_its_defaults(running: Longline, server: ModelServer) -> None:
    mission_id = start(running, "declared_flow")
    assert ended_whole(running, server, mission_id)["result"]["text"] == "AI agents"


def test_a_graph_stops_for_its_interrupts_and_goes_on_with_the_answers(
    running: Longline, server: ModelServer
) -> None:
    server.rules = [Rule(Reply("Rain falls."), any="about rain")]
    mission_id = start(running, "graph", topic="rain")
    good, sure = answer_all(running, mission_id, "yes", "quite")
    ended = ended_whole(running, server, mission_id)
    assert good["prompt"] == "Is it good?"
    assert "Rain falls." in good["context"]
    assert sure["prompt"] == "Are you sure?"
    assert ended["result"]["json"]["verdict"] == "yes, quite"
    assert files_of(running, mission_id)["verdict.txt"] == b"yes, quite"
    assert len(server.exchanges) == 1


def test_the_middleware_of_an_agent_asks_for_approval_and_takes_edited_arguments(
    running: Longline, server: ModelServer
) -> None:
    server.rules = [Rule(Reply(tool_calls=[ToolCall("send", {"to": "Ann"})]), last="Send it")]
    mission_id = start(running, "agent", messages="Send it")
    (question,) = answer_all(running, mission_id, {"decision": "edit", "args": {"to": "Bob"}})
    ended_whole(running, server, mission_id)
    events = running.events(mission_id)
    (finished,) = [e for e in events if e["name"] == "tool.finished"]
    assert question["type"] == "approval"
    assert "Ann" in question["context"]
    assert "sent to Bob" in finished["data"]["output"]
    assert names(events, "HUMAN_RESPONSE") == ["answered"]


def test_a_graph_goes_on_from_its_checkpoint_when_its_worker_is_lost(
    running: Longline, server: ModelServer
) -> None:
    mission_id = start(running, "graph", topic="rain")
    running.wait_for_question(mission_id)
    running.kill("worker")
    running.start("worker")
    answer_all(running, mission_id, "yes", "quite")
    ended = ended_whole(running, server, mission_id)
    assert ended["attempt"] == 2
    assert ended["result"]["json"]["verdict"] == "yes, quite"
    assert len(server.exchanges) == 1, "the draft was not asked for again"
