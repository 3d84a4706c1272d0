"""Files as an agent's knowledge: what fits a task is put before the agent, and nobody else's."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from service.agents.context import MissionFailed
from service.config import Settings
from service.events.kinds import Kind
from tests.agents.given import API_KEY, MODEL, agent, mission, task
from tests.agents.recording import RecordingContext
from tests.model_server import ModelServer, Reply, Rule

pytestmark = [pytest.mark.agents, pytest.mark.usefixtures("prepared")]

USED = {"prompt_tokens": 7, "total_tokens": 7}
WORDS = ("pumps", "whales", "trains")


class Embedding(BaseHTTPRequestHandler):
    """Embeds a text by which of a few words are in it; every other path is the model's."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
        data = [
            {
                "object": "embedding",
                "index": i,
                "embedding": [float(w in t) for w in WORDS] + [0.01],
            }
            for i, t in enumerate(texts)
        ]
        body = json.dumps({"object": "list", "model": "e", "data": data, "usage": USED}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def embedder() -> Iterator[str]:
    """The base URL of an endpoint that embeds."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Embedding)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def endpoint(
    embedder: str, settings: Settings, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The scripted model, which words a question to look up, and beside it the one that embeds."""
    from service.agents import models
    from service.agents.endpoint import Endpoint

    server.rules = [Rule(Reply("How many pumps?"), system="rewrite the user query")]
    found = Endpoint(model="embed-1", base_url=embedder, api_key=API_KEY)
    monkeypatch.setattr(models, "embedding", lambda settings: found)
    return settings


def knowing(*names: str) -> Any:
    return mission([agent("writer", knowledge=list(names))], [task("pumps", "writer")])


def test_what_fits_the_task_is_put_before_the_agent(
    endpoint: Settings, server: ModelServer
) -> None:
    from service.agents import runner

    context = RecordingContext(knowing("a.md", "b.md"))
    context.given = {"a.md": b"There are 42 pumps.", "b.md": b"No whales here."}
    runner.run(context, endpoint)
    asked = server.exchanges[-1].last_message
    assert "There are 42 pumps." in asked
    assert "whales" not in asked
    embedded = [e for e in context.of(Kind.USAGE, "call") if e.data["model"] == "embed-1"]
    assert {(e.agent, e.data["prompt_tokens"]) for e in embedded} == {("writer", 7)}


def test_another_mission_of_the_same_role_knows_nothing_of_it(
    endpoint: Settings, server: ModelServer
) -> None:
    from service.agents import runner

    first = RecordingContext(knowing("a.md"))
    first.given = {"a.md": b"There are 42 pumps."}
    runner.run(first, endpoint)
    second = RecordingContext(knowing("a.md"))
    second.given = {"a.md": b"There are 7 pumps."}
    runner.run(second, endpoint)
    assert "7 pumps" in server.exchanges[-1].last_message
    assert "42 pumps" not in server.exchanges[-1].last_message


@pytest.mark.parametrize("given", [{}, {"a.md": b"\xff\xfe\x00"}, {"a.pdf": b"no pdf"}])
def test_a_file_that_cannot_be_known_fails_the_mission_and_is_named(
    endpoint: Settings, server: ModelServer, given: dict[str, bytes]
) -> None:
    from service.agents import runner

    name = next(iter(given), "a.md")
    context = RecordingContext(knowing(name))
    context.given = given
    with pytest.raises(MissionFailed, match=name) as failed:
        runner.run(context, endpoint)
    assert failed.value.code == "knowledge"
    assert server.exchanges == []
    assert context.of(Kind.STREAM) == []


def test_without_a_model_that_embeds_there_is_no_knowledge(settings: Settings) -> None:
    from service.agents import runner

    context = RecordingContext(knowing("a.md"))
    context.given = {"a.md": b"x"}
    with pytest.raises(MissionFailed, match="LONGLINE_EMBEDDING_MODEL"):
        runner.run(context, settings)


def test_the_embedding_model_is_the_operators(settings: Settings) -> None:
    from service.agents import models

    offered = Settings(
        data=settings.data,
        model=MODEL,
        embedding_model="openai/embed-1",
        openai_base_url="http://x/v1",
        openai_api_key=SecretStr("k"),
    )
    assert models.embedding(offered).model == "embed-1"
