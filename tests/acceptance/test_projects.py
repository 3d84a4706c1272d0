"""Projects as their frameworks' own commands make them, run by real workers, unchanged but for a question."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.client.errors import ApiError
from tests.acceptance.checking import check, ended
from tests.acceptance.projects import SECRET, made, office
from tests.acceptance.test_deaths import kill_child
from tests.conftest import settings_for
from tests.missions import names
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.agents]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, endpoint: ModelServer) -> Iterator[Longline]:
    folder = tmp_path_factory.mktemp("projects")
    targets = ",".join(f"{name}={where}" for name, where in made(folder).items())
    (folder / "prices.json").write_text('{"scripted-1": {"input": 100, "output": 1000}}')
    environment = {
        **settings_for(endpoint),
        "LONGLINE_PRICES": str(folder / "prices.json"),
        "LONGLINE_PROJECTS": targets,
        "PYTHONPATH": str(folder / "site"),
    }
    with Longline(folder, **environment) as longline:
        yield longline


@pytest.fixture
def server(endpoint: ModelServer) -> ModelServer:
    endpoint.rules, endpoint.exchanges = [], []
    return endpoint


def ended_whole(longline: Longline, server: ModelServer, mission_id: int) -> Any:
    """The completed mission, once all that must hold of any mission has been seen to hold."""
    done = ended(longline, mission_id, within_s=90)
    check(longline, done, server)
    return done


def answer_all(longline: Longline, mission_id: int, *answers: Any) -> list[Any]:
    """Answer its questions one after the other; returns them as they were asked."""
    asked = []
    for answer in answers:
        question = longline.wait_for_question(mission_id)
        longline.client.answer(question["id"], answer)
        asked.append(question)
    return asked


def waits_again(longline: Longline, mission_id: int) -> None:
    """Wait until the second attempt has come to its question."""

    def look() -> bool:
        mission = longline.client.mission(mission_id)
        return bool(mission["attempt"] == 2 and mission["status"] == "waiting")

    until(look, what="second attempt that waits")


def offered(longline: Longline) -> list[Any]:
    return list(httpx.get(f"{longline.url}/projects").json()["projects"])


def start(longline: Longline, project: str, **inputs: Any) -> int:
    return int(longline.client.create({"project": project, "inputs": inputs})["id"])


def files_of(longline: Longline, mission_id: int) -> dict[str, bytes]:
    found = longline.client.missions.files(mission_id)
    return {file["name"]: longline.client.file(file["id"]) for file in found}


def test_projects_are_offered_with_what_they_take(running: Longline) -> None:
    found = {p["name"]: p for p in offered(running)}
    assert {name: (p["kind"], p["engine"]) for name, p in found.items()} == {
        "json_crew": ("crew", "crewai"),
        "classic_crew": ("crew", "crewai"),
        "written_flow": ("flow", "crewai"),
        "review_flow": ("flow", "crewai"),
        "declared_flow": ("flow", "crewai"),
        "graph": ("graph", "langchain"),
        "agent": ("graph", "langchain"),
        **dict.fromkeys(("chain", "shouter", "vault"), ("runnable", "langchain")),
        "broken": (None, None),
    }
    assert [name for name, p in found.items() if not p["available"]] == ["broken"]
    assert found["classic_crew"]["inputs"]["required"] == ["current_year", "topic"]
    assert found["review_flow"]["inputs"]["properties"]["topic"]["default"] == "rain"
    assert found["chain"]["inputs"]["required"] == ["style", "topic"]
    assert found["shouter"]["inputs"]["properties"]["input"]["type"] == "string"
    assert all(str(running.folder) not in str(project) for project in found.values())


def test_a_json_crew_runs_as_it_was_created_with_its_memory(
    running: Longline, server: ModelServer
) -> None:
    first = ended_whole(running, server, start(running, "json_crew"))
    server.exchanges.clear()
    again = ended_whole(running, server, start(running, "json_crew"))
    assert first["progress"] == {"done": 1, "total": 1}
    assert first["usage"]["cost_usd"] is None  # of a well-known model at an unknown endpoint
    assert first["spec"]["project"] == "json_crew"
    actions = names(running.events(first["id"]), "ACTION")
    assert {"memory.query.finished", "memory.save.finished"} <= set(actions)
    (found,) = [e for e in running.events(again["id"]) if e["name"] == "memory.retrieval.finished"]
    assert "Research current AI trends" in found["data"]["memory_content"]


def test_a_flow_runs_as_it_was_created_with_the_crew_inside(
    running: Longline, server: ModelServer
) -> None:
    mission_id = start(running, "written_flow")
    done = ended_whole(running, server, mission_id)
    events = running.events(mission_id)
    inside = [f"generate_content/{name}_task" for name in ("planning", "writing", "editing")]
    completed = [e["task"] for e in events if e["name"] == "task.completed"]
    assert completed == ["plan_content", *inside, "generate_content", "save_content"]
    assert done["progress"] == {"done": 6, "total": 6}
    assert set(done["usage"]["agents"]) == {"Content Planner", "Content Writer", "Content Editor"}
    assert files_of(running, mission_id)["output/post.md"] == b"All is well."


def test_a_classic_crew_asks_by_input_and_for_a_review_and_writes_a_report(
    running: Longline, server: ModelServer
) -> None:
    server.rules = [Rule(Reply("A better report."), any="Shorter, please.")]
    mission_id = start(running, "classic_crew", topic="rain", current_year="2026")
    tone, review, _ = answer_all(running, mission_id, "calm", "Shorter, please.", "")
    done = ended_whole(running, server, mission_id)
    assert tone["prompt"] == "Which tone?"
    assert "Two tones are offered." in tone["context"]
    assert (review["task"], review["agent"]) == ("reporting_task", "rain Reporting Analyst")
    assert done["result"]["text"] == "A better report."
    assert done["progress"] == {"done": 2, "total": 2}
    assert files_of(running, mission_id)["report.md"] == b"A better report."
    assert SECRET not in str(running.events(mission_id))


def test_a_flow_asks_and_takes_feedback_and_goes_where_it_says(
    running: Longline, server: ModelServer
) -> None:
    server.rules = [Rule(Reply("yes"), any="Off with it.")]
    mission_id = start(running, "review_flow", topic="sky")
    colour, line, judge = answer_all(running, mission_id, "grey", "Very good.", "Off with it.")
    done = ended_whole(running, server, mission_id)
    assert colour["prompt"] == "Which colour?"
    assert (line["prompt"], line["context"]) == ("Is this line right?", "The sky is grey.")
    assert "yes, no" in judge["context"]
    assert done["result"]["text"] == "sent: The sky is grey. / Very good."
    started = [e["task"] for e in running.events(mission_id) if e["name"] == "task.started"]
    assert started == ["colour", "line", "judge", "send"]


def test_a_flow_whose_worker_is_lost_asks_nothing_that_was_answered(
    running: Longline, server: ModelServer
) -> None:
    mission_id = start(running, "review_flow", topic="sky")
    answer_all(running, mission_id, "grey")
    line = running.wait_for_question(mission_id)
    kill_child(running, mission_id)
    waits_again(running, mission_id)
    server.rules = [Rule(Reply("no"), any="Never.")]
    (again, _) = answer_all(running, mission_id, "Fine.", "Never.")
    done = ended_whole(running, server, mission_id)
    events = running.events(mission_id)
    assert again["id"] == line["id"]
    assert len(names(events, "HUMAN_INPUT_REQUEST")) == 3
    assert names(events, "HUMAN_RESPONSE") == ["answered"] * 3
    assert done["result"]["text"] == "dropped"
    assert done["progress"] == {"done": 4, "total": 4}


def test_a_declared_flow_runs_with_its_defaults(running: Longline, server: ModelServer) -> None:
    mission_id = start(running, "declared_flow")
    assert ended_whole(running, server, mission_id)["result"]["text"] == "AI agents"


def test_a_graph_stops_for_its_interrupts_and_goes_on_with_the_answers(
    running: Longline, server: ModelServer
) -> None:
    server.rules = [Rule(Reply("Rain falls."), any="about rain")]
    mission_id = start(running, "graph", topic="rain")
    good, sure = answer_all(running, mission_id, "yes", "quite")
    done = ended_whole(running, server, mission_id)
    assert good["prompt"] == "Is it good?"
    assert "Rain falls." in good["context"]
    assert sure["prompt"] == "Are you sure?"
    assert done["result"]["json"]["verdict"] == "yes, quite"
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
    kill_child(running, mission_id)
    waits_again(running, mission_id)
    answer_all(running, mission_id, "yes", "quite")
    done = ended_whole(running, server, mission_id)
    assert done["attempt"] == 2
    assert done["result"]["json"]["verdict"] == "yes, quite"
    assert len(server.exchanges) == 1, "the draft was not asked for again"


def test_a_chain_of_a_module_runs(running: Longline, server: ModelServer) -> None:
    server.rules = [Rule(Reply("Rain, rain."), last="task rain in the style of a song")]
    mission_id = start(running, "chain", topic="rain", style="a song")
    done = ended_whole(running, server, mission_id)
    assert done["result"]["text"] == "Rain, rain."
    read, written = server.total("prompt_tokens"), server.total("completion_tokens")
    cached = sum(x.usage["prompt_tokens_details"]["cached_tokens"] for x in server.exchanges)
    assert cached < read
    assert done["usage"]["cost_usd"] == pytest.approx((read * 100 + written * 1000) / 1e6)


@pytest.mark.parametrize(
    ("mission", "said"),
    [
        ({"project": "chain", "model": "openai/scripted-1"}, "model"),
        ({"project": "chain", "inputs": {"topic": "rain"}}, "style"),
        ({"project": "broken"}, "cannot be loaded"),
        ({"project": "/etc"}, "should match pattern"),
    ],
)
def test_a_request_gives_a_project_its_inputs_and_nothing_else(
    running: Longline, mission: dict[str, Any], said: str
) -> None:
    before = running.client.missions()
    with pytest.raises(ApiError, match=said) as refused:
        running.client.create(mission)
    assert refused.value.status == 422
    assert running.client.missions() == before


def test_a_project_that_cannot_be_loaded_is_not_added(running: Longline) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        longline_project(running, "add", "other", f"{running.folder}/broken/app.py:graph")
    assert "no such model file" in failed.value.stderr
    assert "other" not in [p["name"] for p in offered(running)]


def test_a_runnable_takes_a_plain_text_and_what_it_prints_is_logged(
    running: Longline, server: ModelServer
) -> None:
    mission_id = start(running, "shouter", input="A very long text, longer than that.")
    ended_whole(running, server, mission_id)
    assert server.exchanges[0].last_message == "A very long text, lo"
    lines = [e["data"]["line"] for e in running.events(mission_id, kind="LOG")]
    assert any(line.startswith("shortening A very long") for line in lines)


def test_a_password_is_asked_of_nobody(running: Longline, server: ModelServer) -> None:
    mission_id = start(running, "vault", input="the door")
    failed = ended(running, mission_id, "failed")
    assert failed["error"]["code"] == "password_asked"
    assert names(check(running, failed, server), "HUMAN_INPUT_REQUEST") == []


def test_a_project_added_by_command_runs_with_what_it_has_installed(
    running: Longline, server: ModelServer, tmp_path: Path
) -> None:
    added = longline_project(running, "add", "office", office(tmp_path / "office"))
    assert "a crew for crewai; inputs: name, town" in added
    assert f"office\tcrew\t{tmp_path}" in longline_project(running, "list")
    letter = '{"to": "Ann", "body": "Dear Ann"}'
    server.rules = [
        Rule(Reply(letter), last="Dear Ann"),
        Rule(Reply(tool_calls=[ToolCall("greet", {"name": "Ann"})]), last="task letter to Ann"),
        Rule(Reply("Rain."), last="task weather in Oslo"),
    ]
    mission_id = start(running, "office", name="Ann", town="Oslo")
    done = ended_whole(running, server, mission_id)
    assert done["result"]["json"] == {"to": "Ann", "body": "Dear Ann"}
    assert set(done["usage"]["agents"]) == {"Clerk in Oslo", "Typist"}
    assert "Rain." in server.exchanges[1].last_message
    again = running.client.missions.retry(mission_id)
    server.exchanges.clear()
    assert ended_whole(running, server, again["id"])["spec"] == done["spec"]
    assert longline_project(running, "remove", "office") == ""
    with pytest.raises(ApiError, match="no project 'office'"):
        start(running, "office", name="Ann", town="Oslo")


def longline_project(running: Longline, *arguments: str) -> str:
    """What the command line says."""
    return subprocess.run(
        [sys.executable, "-m", "service.cli", "project", *arguments],
        env=running.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
