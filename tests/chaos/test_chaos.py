"""A short fault run on each database, always the same one."""

from pathlib import Path

import pytest

from tests.chaos.play import play

pytestmark = [pytest.mark.processes, pytest.mark.agents]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_is_lost_or_done_twice_whatever_dies(tmp_path: Path, database: str) -> None:
    play(tmp_path, database, 7, 16, nodes=2, missions=6, followers=10, outage_s=3.0, pause_s=0.5)
