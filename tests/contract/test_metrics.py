"""What the metrics say of the database, on each."""

from dataclasses import replace

import pytest

from service import metrics
from service.metrics import WebMetrics
from tests.contract import given as the


def shown(db, name):
    lines = metrics.ready(db, WebMetrics(None)).decode().splitlines()
    [line] = [line for line in lines if line.startswith(f"{name} ")]
    return float(line.split()[1])


@pytest.mark.parametrize("agents", [(), ("writer",), ("writer", "writer", 'a"b\\ü')])
def test_calls_of_models_are_those_of_all_agents_of_all_missions(db, agents):
    for _ in range(2):
        claimed = the.running(db)
        for agent in agents:
            the.record(db, claimed, replace(the.usage(7, 3), agent=agent))
    assert shown(db, "longline_model_calls_total") == 2 * len(agents)
    assert shown(db, 'longline_tokens_total{type="prompt"}') == 14 * len(agents)
