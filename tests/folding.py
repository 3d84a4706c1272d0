"""A mission as its events tell it: what a client knows that only follows the feed."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Event = Mapping[str, Any]

ENDED = ("completed", "failed", "cancelled")
COUNTED = ("prompt_tokens", "completion_tokens", "cached_tokens")


def fold(events: Iterable[Event]) -> dict[str, Any]:
    """The fields of GET /missions/{id} that follow from all events of one mission, oldest first."""
    return _Folded(events).view()


def differences(events: Iterable[Event], mission: Event) -> dict[str, tuple[Any, Any]]:
    """Where a mission is not what its events say: field → (folded, the mission's). Empty when all is well."""
    return {
        name: (value, mission[name])
        for name, value in fold(events).items()
        if not _equal(value, _comparable(name, mission[name]))
    }


def faults(events: Sequence[Event]) -> list[str]:
    """What is wrong with the order or the number of one mission's events, all of them, oldest first."""
    return [*_misnumbered(events), *_after_the_end(events), *_badly_answered(events)]


class _Folded:
    """A mission while its events pass by."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.fields: dict[str, Any] = {
            "status": None,
            "rev": 0,
            "attempt": 0,
            "started_at": None,
            "ended_at": None,
            "result": None,
            "error": None,
        }
        self.usage: dict[str, Any] = {**dict.fromkeys(COUNTED, 0), "cost_usd": None}
        self.agents: dict[str, dict[str, Any]] = {}
        self.done: set[str] = set()
        self.open: list[int] = []
        self.final: Any = None
        self.failure: Any = None
        for event in events:
            self._take(event)

    def view(self) -> dict[str, Any]:
        derived = {
            "usage": self.usage | {"agents": self.agents},
            "progress": {"done": len(self.done)},
            "requests": sorted(self.open),
        }
        return self.fields | derived

    def _take(self, event: Event) -> None:
        self.fields["attempt"] = event["attempt"]
        match event["kind"], event["name"]:
            case "STATUS", name:
                self.fields["rev"] = event["seq"]
                self._take_status(name, event)
            case "USAGE", "call":
                self._add(event["data"])
                self._add_to_agent(event.get("agent") or "", event["data"])
            case "OUTPUT", "final":
                self.final = event["data"]
            case "ERROR", "mission" | "worker_lost":
                self._take_error(event["data"])
            case "HUMAN_INPUT_REQUEST", "opened":
                self.open.append(event["data"]["id"])
            case "HUMAN_RESPONSE", _:
                self.open.remove(event["data"]["request"])

    def _take_status(self, name: str, event: Event) -> None:
        if name == "task.completed":
            self.done.add(event["task"])
        if not name.startswith("mission."):
            return
        status = self.fields["status"] = event["data"]["to"]
        if status == "running" and self.fields["started_at"] is None:
            self.fields["started_at"] = event["at"]
        if status in ENDED:
            self.fields["ended_at"] = event["at"]
        if status == "completed":
            self.fields["result"] = self.final
        if status == "failed":
            self.fields["error"] = self.failure

    def _take_error(self, data: Mapping[str, Any]) -> None:
        self.failure = {key: value for key, value in data.items() if key != "restart"}
        if data.get("restart"):
            self.done.clear()

    def _add(self, call: Mapping[str, Any]) -> None:
        for name in COUNTED:
            self.usage[name] += call.get(name) or 0
        if call.get("cost_usd") is not None:
            self.usage["cost_usd"] = (self.usage["cost_usd"] or 0.0) + call["cost_usd"]

    def _add_to_agent(self, name: str, call: Mapping[str, Any]) -> None:
        agent = self.agents.setdefault(name, {"calls": 0, "cost_usd": None})
        agent["calls"] += 1
        for counted in (*COUNTED, "reasoning_tokens"):
            agent[counted] = agent.get(counted, 0) + (call.get(counted) or 0)
        if call.get("cost_usd") is not None:
            agent["cost_usd"] = (agent["cost_usd"] or 0.0) + call["cost_usd"]


def _comparable(name: str, value: Any) -> Any:
    """The part of a mission's field that its events can tell: not how many tasks the plan has."""
    return {"done": value["done"]} if name == "progress" else value


def _equal(folded: Any, stored: Any) -> bool:
    """Equal, sums of money to within rounding: they are added in another order."""
    match folded, stored:
        case dict(), dict():
            return folded.keys() == stored.keys() and all(
                _equal(folded[key], stored[key]) for key in folded
            )
        case float(), float():
            return math.isclose(folded, stored)
    return bool(folded == stored)


def _misnumbered(events: Sequence[Event]) -> Iterable[str]:
    for place, event in enumerate(events, start=1):
        if event["mseq"] != place:
            yield f"event {place} of the mission has mseq {event['mseq']}"
    for earlier, later in itertools.pairwise(events):
        if earlier["seq"] >= later["seq"]:
            yield f"seq {later['seq']} comes after {earlier['seq']}"


def _after_the_end(events: Sequence[Event]) -> Iterable[str]:
    for event in events[:-1]:
        if event["kind"] == "STATUS" and event["name"].removeprefix("mission.") in ENDED:
            yield f"{event['name']} with seq {event['seq']} is not the last event"


def _badly_answered(events: Sequence[Event]) -> Iterable[str]:
    asked = [event["data"]["id"] for event in events if event["kind"] == "HUMAN_INPUT_REQUEST"]
    closed = [event["data"]["request"] for event in events if event["kind"] == "HUMAN_RESPONSE"]
    ended = bool(events) and events[-1]["name"].removeprefix("mission.") in ENDED
    for request in asked:
        count = closed.count(request)
        if count > 1 or (ended and count == 0):
            yield f"request {request} has {count} responses"
    for request in set(closed) - set(asked):
        yield f"request {request} was closed and never asked"
