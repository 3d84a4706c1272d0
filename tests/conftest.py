"""Fixtures of all suites: a scripted model's endpoint, and Longline running on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_server import ModelServer
from tests.processes import Longline

MODEL = "scripted-1"  # a name that no framework knows: any NAME has to work


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """An endpoint without rules; a test gives it some with `model_server.rules = […]`."""
    with ModelServer() as server:
        yield server


def settings_for(server: ModelServer) -> dict[str, str]:
    """The environment that sends every model call to a server."""
    return {
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": "scripted-key-of-the-tests",
        "LONGLINE_MODEL": f"openai/{MODEL}",
        "LONGLINE_LEASE_S": "3",
        "LONGLINE_RENEW_S": "0.5",
    }


@pytest.fixture
def longline(tmp_path: Path, model_server: ModelServer) -> Iterator[Longline]:
    """A web process and a worker of the test's own, on the scripted model."""
    with Longline(tmp_path, **settings_for(model_server)) as running:
        yield running
