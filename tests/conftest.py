"""Fixtures of all suites: a scripted model's endpoint, and Longline running on it."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from tests.model_server import ModelServer
from tests.processes import Longline
from tests.sharing import SharedServers

MODEL = "scripted-1"  # a name that no framework knows: any NAME has to work

# As where missions are forked from: next to nothing of what five thousand tests import is garbage, and
# Python's own threshold, of 700, walks through it again and again.
gc.set_threshold(20_000, 20, 20)


def settings_for(server: ModelServer) -> dict[str, str]:
    """The environment that sends every model call to a server."""
    return {
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": "scripted-key-of-the-tests",
        "LONGLINE_MODEL": f"openai/{MODEL}",
        "LONGLINE_LEASE_S": "3",
        "LONGLINE_RENEW_S": "0.5",
        "LONGLINE_DRAIN_S": "1",
    }


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedServers | None:
    return SharedServers(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """What is there before the first test stays, and need not be walked through behind it."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-proxy",
        action="store_true",
        help="also the proxies that CI leaves out, and the long form of what is slow behind them",
    )
    parser.addoption(
        "--api-on-postgres",
        action="store_true",
        help="all of tests/api on PostgreSQL; some of it is run there in any case",
    )


@pytest.fixture(scope="session")
def _shared_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def model_server(_shared_server: ModelServer) -> ModelServer:
    """The model's endpoint, without rules and without a memory of other tests."""
    _shared_server.rules, _shared_server.exchanges = [], []
    return _shared_server


@pytest.fixture(scope="session")
def _shared_processes(
    tmp_path_factory: pytest.TempPathFactory, _shared_server: ModelServer
) -> Iterator[Longline]:
    folder = tmp_path_factory.mktemp("longline")
    with Longline(folder, **settings_for(_shared_server)) as running:
        yield running


@pytest.fixture
def longline(_shared_processes: Longline, model_server: ModelServer) -> Longline:
    """A web process and a worker on the scripted model.

    Started once, because it takes seconds; what a test has ended is started again for the next
    one. Missions of other tests are in its log: ask by mission.
    """
    _shared_processes.start_missing()
    return _shared_processes
