"""A child forked from the warm process runs a crew at once."""

import subprocess
import sys

import pytest

from service.config import Settings
from tests.agents.given import API_KEY, MODEL
from tests.model_server import ModelServer

pytestmark = [pytest.mark.agents, pytest.mark.processes]


def test_a_forked_child_asks_the_model_within_a_second(
    server: ModelServer, settings: Settings
) -> None:
    command = [sys.executable, "-m", "tests.agents.forked", str(settings.data), server.base_url]
    finished = subprocess.run(
        [*command, API_KEY, MODEL], capture_output=True, text=True, timeout=60, check=True
    )
    assert finished.stderr == ""
    _, started, text = finished.stdout.splitlines()
    assert text == server.texts()[0]
    (exchange,) = server.exchanges
    assert exchange.at - float(started) < 1.0
