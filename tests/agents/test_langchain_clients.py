"""langchain's clients of the endpoints that missions name."""

from typing import Any

import pytest

from service.agents.context import MissionFailed
from service.agents.endpoint import Endpoint
from tests.agents.given import API_KEY
from tests.model_server import ModelServer, Reply, Rule

pytestmark = pytest.mark.agents


def endpoint(**changes: Any) -> Endpoint:
    return Endpoint(**{"model": "some name", "base_url": "", "api_key": API_KEY, **changes})


@pytest.mark.usefixtures("prepared")
def test_any_endpoint_with_openais_interface_streams_and_counts(server: ModelServer) -> None:
    from service.agents.langchain import clients

    server.rules = [Rule(Reply("Heat pumps move heat."))]
    model = clients.of(endpoint(base_url=server.base_url, temperature=0.2, max_tokens=50))
    chunks = list(model.stream("Say it."))
    assert "".join(str(chunk.content) for chunk in chunks) == "Heat pumps move heat."
    used = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert sum(it["output_tokens"] for it in used) == server.total("completion_tokens") > 0
    request = server.exchanges[0].request
    assert (request["model"], request["temperature"], request["stream"]) == ("some name", 0.2, True)


@pytest.mark.usefixtures("prepared")
def test_azure_is_spoken_to_by_its_deployment() -> None:
    from service.agents.langchain import clients

    model: Any = clients.of(
        endpoint(provider="azure", model="deployment", base_url="https://mine.example")
    )
    assert model.azure_endpoint == "https://mine.example"


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("provider", ["anthropic", "gemini", "bedrock"])
def test_a_missing_extra_is_named(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.agents.langchain import clients

    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("no such package")

    monkeypatch.setattr(clients, "init_chat_model", missing)
    with pytest.raises(MissionFailed, match=rf"longline\[{provider}\]") as failed:
        clients.of(endpoint(provider=provider))
    assert failed.value.code == "model_not_installed"
    assert API_KEY not in failed.value.message
