"""A short fault run on each database, always the same one. `make chaos` runs longer and other ones."""

from pathlib import Path

import pytest

from tests.faults.breaking import Lengths
from tests.faults.play import play

pytestmark = [pytest.mark.processes, pytest.mark.waits]

SEED = 7
SHORT = Lengths(stall_s=4.0, outage_s=3.0, pause_s=0.2)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_is_lost_or_done_twice_whatever_dies(tmp_path: Path, database: str) -> None:
    play(tmp_path, database, SEED, 10.0, nodes=2, missions=8, followers=10, lengths=SHORT)
