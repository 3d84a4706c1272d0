"""A real web process on a file of its own, whose log the tests write: no worker, no agent framework."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.config import Settings
from service.db import Database
from tests.client.writer import Writer
from tests.processes import Longline


@contextmanager
def served(folder: Path) -> Iterator[Longline]:
    longline = Longline(folder, LONGLINE_SQLITE_SYNCHRONOUS="NORMAL")
    longline.start("web")
    try:
        yield longline
    finally:
        longline.client.close()
        for name in list(longline.processes):
            longline.kill(name)


@contextmanager
def written(longline: Longline) -> Iterator[Writer]:
    db = Database(Settings(data=longline.folder / "data", database_url=None))
    yield Writer(db)
    db.close()


@pytest.fixture(scope="session")
def _web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Longline]:
    with served(tmp_path_factory.mktemp("web")) as longline:
        yield longline


@pytest.fixture
def web(_web: Longline) -> Longline:
    """Shared, because a start takes seconds: the log has other tests' missions too."""
    if "web" not in _web.processes:
        _web.start("web")
    return _web


@pytest.fixture
def writer(web: Longline) -> Iterator[Writer]:
    """What a worker would write into the same database."""
    with written(web) as writer:
        yield writer


@pytest.fixture
def own_web(tmp_path: Path) -> Iterator[Longline]:
    """For tests that leave the log behind in pieces."""
    with served(tmp_path) as longline:
        yield longline


@pytest.fixture
def own_writer(own_web: Longline) -> Iterator[Writer]:
    with written(own_web) as writer:
        yield writer
