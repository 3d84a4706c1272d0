"""What every acceptance test of a mission asks at its end: log, row, endpoint and feed say the same."""

from typing import Any

from tests.folding import differences, faults
from tests.missions import spoken
from tests.model_server import ModelServer
from tests.processes import Longline


def ended(longline: Longline, mission_id: int, *statuses: str, within_s: float = 60.0) -> Any:
    """The mission, once it has ended as expected (completed, if nothing else is said)."""
    mission = longline.wait_for_status(
        mission_id, "completed", "failed", "cancelled", within_s=within_s
    )
    assert mission["status"] in (statuses or ("completed",)), mission["error"]
    return mission


def check(longline: Longline, mission: Any, endpoint: ModelServer) -> list[dict[str, Any]]:
    """The mission's events, after the four checks. The endpoint must have served it alone.

    The events folded give the row; each request has one response; the joined deltas are what the
    endpoint said; the usage is what the endpoint reported.
    """
    events = longline.events(mission["id"])
    assert differences(events, mission) == {}
    assert faults(events) == []
    assert sorted(spoken(events).values()) == sorted(filter(None, endpoint.texts()))
    usage = mission["usage"]
    for name in ("prompt_tokens", "completion_tokens"):
        assert usage[name] == endpoint.total(name)
        assert sum(agent[name] for agent in usage["agents"].values()) == usage[name]
    assert events[-1]["name"] == f"mission.{mission['status']}"
    return events
