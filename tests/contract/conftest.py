"""A database of its own for each test, on every database that Longline runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service import clock
from service.config import Settings
from service.db import Database
from service.missions.attempts import Claim
from tests.contract import given as the
from tests.contract.databases import DATABASES, Server


class Clock:
    """The time as the tests set it."""

    def __init__(self) -> None:
        self._ms = clock.now_ms()

    def now_ms(self) -> int:
        return self._ms

    def advance(self, seconds: float) -> None:
        self._ms += int(seconds * 1000)


@pytest.fixture(scope="session")
def _servers() -> Iterator[dict[str, Server]]:
    """Those that were needed so far; a fixture with parameters would end one for the other in each file."""
    made: dict[str, Server] = {}
    yield made
    for server in made.values():
        server.close()


@pytest.fixture(scope="module", params=DATABASES)
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _servers: dict[str, Server],
) -> Server:
    """Where databases come from."""
    if request.param not in _servers:
        _servers[request.param] = DATABASES[request.param](tmp_path_factory.mktemp("server"))
    return _servers[request.param]


@pytest.fixture
def settings(server: Server, tmp_path: Path) -> Settings:
    """Settings of an empty database."""
    return server.settings(tmp_path)


@pytest.fixture
def db(server: Server, settings: Settings) -> Iterator[Database]:
    """A migrated database."""
    server.migrate(settings)
    database = Database(settings)
    yield database
    database.close()


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The service's clock, standing still until the test advances it."""
    stopped = Clock()
    monkeypatch.setattr(clock, "now_ms", stopped.now_ms)
    return stopped


@pytest.fixture
def asked(db: Database) -> tuple[Claim, int]:
    """A mission that waits, and the open question that it waits for."""
    claimed = the.running(db)
    return claimed, the.ask(db, claimed)
