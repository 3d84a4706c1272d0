"""The bench's own client, which checks every event, finds nothing wrong; and goals are judged as they read."""

from pathlib import Path

import pytest

from tests.bench.running import Load, compile_client, run
from tests.bench.sides import Ours
from tests.bench.table import Figure
from tests.debian import need


@pytest.mark.processes
def test_every_event_reaches_every_subscriber_once_and_in_order(tmp_path: Path) -> None:
    need(gcc="gcc")
    with Ours(tmp_path / "ours") as side:
        found = run(side, Load(200, 5, 20, 40, skip=2), compile_client(tmp_path))
    assert found.faults == 0
    assert found.deliveries == 200 * 20
    assert 0 < found.p50 <= found.p99 <= found.max


def test_a_goal_is_for_the_ratio_where_there_is_a_peer() -> None:
    assert Figure("row", "p50 ms", 2.0, "peer", 4.0, at_most=0.5).met
    assert not Figure("row", "p50 ms", 2.0, at_most=0.5).met
    assert Figure("row", "events/s", 60.0, "peer", 100.0, at_least=0.5).met
    assert Figure("row", "p50 ms", 2.0, "peer", 4.0).met is None
