"""Crews and flows as their framework's own commands make them, run by real workers, all but unchanged."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.client.errors import ApiError
from tests.acceptance.checking import check, ended
from tests.acceptance.project_files import named
from tests.acceptance.project_runs import (
    answer_all,
    ended_whole,
    files_of,
    offered,
    start,
    wait_until_offered,
    waits_again,
)
from tests.acceptance.projects import SECRET, crews, office
from tests.acceptance.test_deaths import kill_child
from tests.conftest import settings_for
from tests.missions import mission, names
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]

LETTER = '{"to": "Ann", "body": "Dear Ann"}'


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, endpoint: ModelServer) -> Iterator[Longline]:
    """Started a moment ago: its worker may still look at its projects."""
    folder = tmp_path_factory.mktemp("projects")
    environment = settings_for(endpoint) | {"LONGLINE_PROJECTS": named(crews(folder))}
    with Longline(folder, **environment) as longline:
        yield longline


@pytest.fixture
def running(fresh: Longline) -> Longline:
    wait_until_offered(fresh, *OFFERED, "broken", "nowhere")
    return fresh


@pytest.fixture
def server(endpoint: ModelServer) -> ModelServer:
    endpoint.rules, endpoint.exchanges = [], []
    return endpoint


OFFERED = {
    "json_crew": "crew",
    "classic_crew": "crew",
    "hooked": "crew",
    "written_flow": "flow",
    "review_flow": "flow",
    "declared_flow": "flow",
}


def test_a_project_whose_import_hangs_holds_up_no_mission(
    fresh: Longline, server: ModelServer
) -> None:
    created = fresh.client.create(mission())
    check(fresh, ended(fresh, created["id"]), server)
    assert "stuck" not in offered(fresh)


def test_projects_are_offered_with_what_they_take(running: Longline) -> None:
    found = offered(running)
    found.pop("stuck", None)  # when its time is over, it is one that cannot be loaded
    available = {name: p["kind"] for name, p in found.items() if p["available"]}
    assert available == OFFERED
    assert found.keys() - available.keys() == {"broken", "nowhere"}
    assert {p["engine"] for p in found.values()} == {"crewai", None}
    assert found["classic_crew"]["inputs"]["required"] == ["current_year", "topic"]
    assert found["review_flow"]["inputs"]["properties"]["topic"]["default"] == "rain"
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


def test_hooks_behind_a_kickoff_get_all_outputs_also_when_the_worker_was_lost(
    running: Longline, server: ModelServer
) -> None:
    server.rules = [
        Rule(Reply(LETTER), last="task letter to Ann"),
        Rule(Reply("To Ann."), last="task envelope"),
    ]
    mission_id = start(running, "hooked", name="ann")
    asked = running.wait_for_question(mission_id)
    kill_child(running, mission_id)
    waits_again(running, mission_id)
    (sent,) = answer_all(running, mission_id, "yes")
    done = ended_whole(running, server, mission_id)
    events = running.events(mission_id)
    assert asked["context"] == "```text\nA letter to Ann\n```"  # without panels of crewai's
    assert (sent["id"], done["attempt"]) == (asked["id"], 2)
    assert done["result"]["text"] == "To Ann. / yes / 3"
    completed = [e["task"] for e in events if e["name"] == "task.completed"]
    skipped = [e["task"] for e in events if e["name"] == "task.skipped"]
    assert completed == ["letter", "envelope"]
    assert skipped == ["apology", "letter", "envelope", "apology"]  # its condition was not met


def test_a_limit_that_is_reached_beside_the_crew_stops_the_crew(
    running: Longline, server: ModelServer
) -> None:
    server.rules = [Rule(Reply(LETTER), last="task letter")]
    limited = {"project": "hooked", "inputs": {"name": "ann"}, "limits": {"max_tokens": 3}}
    failed = ended(running, running.client.create(limited)["id"], "failed")
    assert failed["error"]["code"] == "limit"
    assert len(server.exchanges) == 1


def test_a_declared_flow_runs_with_its_defaults(running: Longline, server: ModelServer) -> None:
    mission_id = start(running, "declared_flow")
    assert ended_whole(running, server, mission_id)["result"]["text"] == "AI agents"


@pytest.mark.parametrize(
    ("mission", "said"),
    [
        ({"project": "classic_crew", "model": "openai/scripted-1"}, "model"),
        ({"project": "classic_crew", "inputs": {"topic": "rain"}}, "current_year"),
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
        longline_project(running, "add", "other", f"{running.folder}/broken/app.py:crew")
    assert "no such model file" in failed.value.stderr
    assert "other" not in offered(running)


def test_a_project_added_by_command_runs_with_what_it_has_installed(
    running: Longline, server: ModelServer, tmp_path: Path
) -> None:
    added = longline_project(running, "add", "office", office(tmp_path / "office"))
    assert "a crew for crewai; inputs: name, town" in added
    assert f"office\tcrew\t{tmp_path}" in longline_project(running, "list")
    server.rules = [
        Rule(Reply(LETTER), last="Dear Ann"),
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
