"""LangChain: missions from a spec, with the same words and questions as on CrewAI, and projects of its kinds."""

from collections.abc import Iterator

import pytest

from service import schema
from service.config import Settings
from service.db import Database
from tests.acceptance.checking import check, ended
from tests.acceptance.graph_projects import graphs
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
from tests.acceptance.test_deaths import kill_child
from tests.conftest import settings_for
from tests.folding import differences, faults
from tests.missions import agent, mission, names, spoken, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.postgres import PostgresServer
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]

OFFERED = {
    "graph": "graph",
    "agent": "graph",
    **dict.fromkeys(("chain", "shouter", "vault", "noted"), "runnable"),
}


def test_a_langchain_mission_asks_is_approved_reviewed_and_adds_up(
    longline: Longline, model_server: ModelServer
) -> None:
    ask = ToolCall("ask_human", {"question": "Which tone?"})
    work_out = ToolCall("calculator", {"expression": "1+1"})
    model_server.rules = [
        Rule(Reply(tool_calls=[ask]), last="task sum", times=1),
        Rule(Reply(tool_calls=[work_out]), last="calm", times=1),
        Rule(Reply("It is 42."), last="42", times=1),
        Rule(Reply("Shorter."), last="too long", times=1),
        Rule(Reply("A long draft."), last="task draft"),
    ]
    gated = {"name": "calculator", "approve": True}
    spec = mission(
        task("sum"),
        task("draft", human_input=True),
        agents=[agent(tools=["ask_human", gated])],
        engine="langchain",
    )
    created = longline.client.create(spec)
    answers = ["calm", {"decision": "edit", "args": {"expression": "6*7"}}, "too long", ""]
    for answer in answers:
        question = longline.wait_for_question(created["id"])
        longline.client.answer(question["id"], answer)
    done = ended(longline, created["id"])

    events = longline.events(created["id"])
    assert done["result"]["text"] == "Shorter."
    assert done["progress"] == {"done": 2, "total": 2}
    assert list(spoken(events).values()) == [text for text in model_server.texts() if text]
    for name in ("prompt_tokens", "completion_tokens"):
        assert done["usage"][name] == model_server.total(name)
    assert names(events, "HUMAN_RESPONSE") == ["answered"] * 4
    assert differences(events, done) == {}
    assert faults(events) == []


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def distributed(
    tmp_path_factory: pytest.TempPathFactory, _shared_server: ModelServer, postgres: PostgresServer
) -> Iterator[Longline]:
    """Web and worker on PostgreSQL, with projects."""
    folder = tmp_path_factory.mktemp("distributed")
    (folder / "prices.json").write_text('{"scripted-1": {"input": 100, "output": 1000}}')
    environment = settings_for(_shared_server) | {
        "DATABASE_URL": postgres.url(),
        "LONGLINE_PRICES": str(folder / "prices.json"),
        "LONGLINE_PROJECTS": named(graphs(folder)),
        "PYTHONPATH": str(folder / "site"),
    }
    db = Database(Settings(database_url=postgres.url()))
    schema.upgrade(db)
    db.close()
    with Longline(folder, **environment) as running:
        wait_until_offered(running, *OFFERED)
        yield running


def test_on_postgresql_a_langchain_mission_goes_on_from_its_checkpoint_and_leaves_none(
    distributed: Longline, model_server: ModelServer, postgres: PostgresServer
) -> None:
    ask = ToolCall("ask_human", {"question": "Which tone?"})
    model_server.rules = [
        Rule(Reply(tool_calls=[ask]), last="task second", times=1),
        Rule(Reply("Calm words."), last="calm"),
    ]
    spec = mission(task("first"), task("second"), agents=[agent(tools=["ask_human"])])
    created = distributed.client.create(spec | {"engine": "langchain"})
    question = distributed.wait_for_question(created["id"])
    kept = postgres.execute("SELECT DISTINCT thread_id FROM checkpoints")
    kill_child(distributed, created["id"])
    distributed.client.answer(question["id"], "calm")
    done = ended(distributed, created["id"])
    events = check(distributed, done, model_server)
    assert kept == [(f"{created['id']}:0:second",)]
    assert (done["attempt"], done["result"]["text"]) == (2, "Calm words.")
    assert [e["task"] for e in events if e["name"] == "task.skipped"] == ["first"]
    assert len(model_server.exchanges) == 3  # nothing was asked of the model twice
    assert names(events, "HUMAN_RESPONSE") == ["answered"]
    assert postgres.execute("SELECT count(*) FROM checkpoints") == [(0,)]


def test_a_langchain_mission_goes_on_in_the_middle_of_a_task(
    longline: Longline, model_server: ModelServer
) -> None:
    ask = ToolCall("ask_human", {"question": "Which tone?"})
    model_server.rules = [
        Rule(Reply(tool_calls=[ask]), last="task draft", times=1),
        Rule(Reply("Calm words."), last="calm"),
    ]
    spec = mission(agents=[agent(tools=["ask_human"])], engine="langchain")
    created = longline.client.create(spec)
    longline.wait_for_question(created["id"])
    kill_child(longline, created["id"])
    longline.client.answer(longline.wait_for_question(created["id"])["id"], "calm")
    done = ended(longline, created["id"])

    events = longline.events(created["id"])
    assert done["result"]["text"] == "Calm words."
    assert done["attempt"] == 2
    assert len(model_server.exchanges) == 2, "the model was not asked the first time again"
    assert names(events, "HUMAN_RESPONSE") == ["answered"]
    assert differences(events, done) == {}
    assert faults(events) == []


def test_graphs_and_runnables_are_offered_with_what_they_take(distributed: Longline) -> None:
    found = offered(distributed)
    assert {name: p["kind"] for name, p in found.items()} == OFFERED
    assert {p["engine"] for p in found.values()} == {"langchain"}
    assert set(found["graph"]["inputs"]["properties"]) == {"topic", "draft", "verdict"}
    assert found["chain"]["inputs"]["required"] == ["style", "topic"]
    assert found["vault"]["inputs"]["properties"]["input"]["type"] == "string"
    assert found["shouter"]["inputs"]["required"] == ["input"]


def test_a_graph_stops_for_its_interrupts_and_goes_on_with_the_answers(
    distributed: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("Rain falls."), any="about rain")]
    mission_id = start(distributed, "graph", topic="rain")
    good, sure = answer_all(distributed, mission_id, "yes", "quite")
    done = ended_whole(distributed, model_server, mission_id)
    assert good["prompt"] == "Is it good?"
    assert "Rain falls." in good["context"]
    assert (sure["prompt"], sure["task"]) == ("Are you sure?", "review")
    assert done["progress"] == {"done": 2, "total": 2}  # what began again is no other task
    assert done["result"]["json"]["verdict"] == "yes, quite"
    assert files_of(distributed, mission_id)["verdict.txt"] == b"yes, quite"
    assert len(model_server.exchanges) == 1


def test_the_middleware_of_an_agent_asks_for_approval_and_takes_edited_arguments(
    distributed: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply(tool_calls=[ToolCall("send", {"to": "Ann"})]), last="Send it")]
    mission_id = start(distributed, "agent", messages="Send it")
    (question,) = answer_all(distributed, mission_id, {"decision": "edit", "args": {"to": "Bob"}})
    ended_whole(distributed, model_server, mission_id)
    events = distributed.events(mission_id)
    (finished,) = [e for e in events if e["name"] == "tool.finished"]
    assert question["type"] == "approval"
    assert "Ann" in question["context"]
    assert "sent to Bob" in finished["data"]["output"]
    assert names(events, "HUMAN_RESPONSE") == ["answered"]


def test_a_graph_goes_on_from_its_checkpoint_when_its_worker_is_lost(
    distributed: Longline, model_server: ModelServer
) -> None:
    mission_id = start(distributed, "graph", topic="rain")
    distributed.wait_for_question(mission_id)
    kill_child(distributed, mission_id)
    waits_again(distributed, mission_id)
    answer_all(distributed, mission_id, "yes", "quite")
    done = ended_whole(distributed, model_server, mission_id)
    assert done["attempt"] == 2
    assert done["result"]["json"]["verdict"] == "yes, quite"
    assert len(model_server.exchanges) == 1, "the draft was not asked for again"


def test_a_chain_of_a_module_runs(distributed: Longline, model_server: ModelServer) -> None:
    model_server.rules = [Rule(Reply("Rain, rain."), last="task rain in the style of a song")]
    mission_id = start(distributed, "chain", topic="rain", style="a song")
    done = ended_whole(distributed, model_server, mission_id)
    assert done["result"]["text"] == "Rain, rain."
    read, written = model_server.total("prompt_tokens"), model_server.total("completion_tokens")
    cached = sum(x.usage["prompt_tokens_details"]["cached_tokens"] for x in model_server.exchanges)
    assert cached < read
    assert done["usage"]["cost_usd"] == pytest.approx((read * 100 + written * 1000) / 1e6)


def test_a_runnable_takes_a_plain_text_and_what_it_prints_is_logged(
    distributed: Longline, model_server: ModelServer
) -> None:
    mission_id = start(distributed, "shouter", input="A very long text, longer than that.")
    ended_whole(distributed, model_server, mission_id)
    assert model_server.exchanges[0].last_message == "A very long text, lo"
    lines = [e["data"]["line"] for e in distributed.events(mission_id, kind="LOG")]
    assert any(line.startswith("shortening A very long") for line in lines)


def test_an_answer_of_a_shape_is_streamed_and_counted(
    distributed: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply('{"to": "Ann"}'))]
    done = ended_whole(distributed, model_server, start(distributed, "noted", input="To Ann."))
    assert done["result"]["json"] == {"to": "Ann"}
    assert model_server.exchanges[0].request["stream"]  # though its owner has said streaming=False


def test_a_password_is_asked_of_nobody(distributed: Longline, model_server: ModelServer) -> None:
    mission_id = start(distributed, "vault", input="the door")
    failed = ended(distributed, mission_id, "failed")
    assert failed["error"]["code"] == "password_asked"
    assert names(check(distributed, failed, model_server), "HUMAN_INPUT_REQUEST") == []


def test_a_step_of_a_graph_that_fails_says_so(
    distributed: Longline, model_server: ModelServer
) -> None:
    failed = ended(distributed, start(distributed, "graph", topic=""), "failed")
    events = check(distributed, failed, model_server)
    (step,) = [e for e in events if e["name"] == "task.failed"]
    assert step["task"] == "draft"
    assert "task" in names(events, "ERROR")
