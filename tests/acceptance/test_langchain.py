"""Missions from a spec on LangChain: the same words, questions and files as on CrewAI."""

from collections.abc import Iterator

import pytest

from service import schema
from service.config import Settings
from service.db import Database
from tests.acceptance.checking import check, ended
from tests.acceptance.test_deaths import kill_child
from tests.conftest import settings_for
from tests.folding import differences, faults
from tests.missions import agent, mission, names, spoken, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.postgres import PostgresServer
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]


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
    """Web and worker on PostgreSQL."""
    environment = settings_for(_shared_server) | {"DATABASE_URL": postgres.url()}
    db = Database(Settings(database_url=postgres.url()))
    schema.upgrade(db)
    db.close()
    with Longline(tmp_path_factory.mktemp("distributed"), **environment) as running:
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
