"""A server for each test, and one for each table of requests that change nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.server import Server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database that nobody has used: copying one is faster than migrating it."""
    with Server(tmp_path_factory.mktemp("migrated")) as server:
        return server.file


@pytest.fixture
def server(tmp_path: Path, migrated: Path) -> Iterator[Server]:
    """A server that nobody has used."""
    shutil.copy(migrated, tmp_path)
    with Server(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests of one module that leave nothing behind."""
    with Server(tmp_path_factory.mktemp("shared")) as running:
        yield running
