"""A server for each test, and one for each table of requests that change nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.server import Server
from tests.contract.databases import Postgres


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database that nobody has used: copying one is faster than migrating it."""
    with Server(tmp_path_factory.mktemp("migrated")) as server:
        return server.file


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    made = Postgres(tmp_path_factory.mktemp("postgres"))
    yield made
    made.close()


@pytest.fixture
def on_postgres(tmp_path: Path, postgres: Postgres) -> Iterator[Server]:
    """A server that nobody has used, on PostgreSQL."""
    settings = postgres.settings(tmp_path)
    postgres.migrate(settings)
    with Server(tmp_path, database_url=settings.database_url) as running:
        yield running


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has used, on SQLite unless asked for otherwise."""
    if request.config.getoption("--api-on-postgres"):
        yield request.getfixturevalue("on_postgres")
        return
    shutil.copy(request.getfixturevalue("migrated"), tmp_path)
    with Server(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests of one module that leave nothing behind."""
    with Server(tmp_path_factory.mktemp("shared")) as running:
        yield running
