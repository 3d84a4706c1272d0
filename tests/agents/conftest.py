"""crewai, run in this process against a scripted model."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from service import config
from service.agents.context import MissionResult
from service.config import Settings
from tests.agents.given import API_KEY, MODEL
from tests.agents.recording import RecordingContext
from tests.model_server import ModelServer


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Before anything imports crewai, as in a worker."""
    config.prepare_agent_environment(Settings(data=tmp_path_factory.mktemp("crewai")))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(api_key=API_KEY) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, server: ModelServer) -> Settings:
    return Settings(
        data=tmp_path,
        model=MODEL,
        openai_base_url=server.base_url,
        openai_api_key=SecretStr(API_KEY),
    )


@pytest.fixture
def run(prepared: None, settings: Settings) -> Callable[[RecordingContext], MissionResult]:
    """Runs a mission to its end."""
    from service.agents import runner  # imports crewai, which takes seconds

    return lambda context: runner.run(context, settings)
