"""What several files of missions share: a server with an operator's tools and prices, started once."""

from collections.abc import Iterator

import pytest

from tests.acceptance.equipment import equipped
from tests.model_server import ModelServer
from tests.processes import Longline

AT_ONCE = 12  # more missions than any test has at once


@pytest.fixture(scope="session")
def _equipped(
    tmp_path_factory: pytest.TempPathFactory, _shared_server: ModelServer
) -> Iterator[Longline]:
    folder = tmp_path_factory.mktemp("equipped")
    with equipped(folder, _shared_server, LONGLINE_CONCURRENCY=str(AT_ONCE)) as running:
        yield running


@pytest.fixture
def equipped_longline(_equipped: Longline, model_server: ModelServer) -> Longline:
    """Web and worker with the tools and the prices of `equipment`; what a test ended is started again."""
    _equipped.start_missing()
    return _equipped
