"""A mission's events as spans: mission, tasks, agents, calls of models and tools, waits for a human."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service import clock
from service.events.kinds import Kind
from service.missions.states import Status

# All that the spans are made of. The others are many, and hold what models and people say.
KINDS = (
    Kind.STATUS,
    Kind.ACTION,
    Kind.USAGE,
    Kind.HUMAN_INPUT_REQUEST,
    Kind.HUMAN_RESPONSE,
)
ENDS = tuple(f"mission.{status}" for status in Status if status.ended)
BEGUN = "started"
GOOD_ENDS = ("completed", "finished", "skipped", "answered")

Event = Mapping[str, Any]
Place = tuple[Any, ...]  # what is open at one time only: an agent in its task, a call by its name


@dataclass
class Span:
    """Something that took time. id: the number, within the mission, of the event it began with."""

    id: int
    parent: int | None
    name: str
    start_ms: int
    end_ms: int | None = None
    error: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


def spans_of(events: Iterable[Event]) -> list[Span]:
    """The spans of one mission, whose events these are, oldest first; the mission's own is the first."""
    trace = _Trace()
    for event in events:
        trace.take(event)
    return trace.spans


class _Trace:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._open: dict[Place, Span] = {}
        self._latest: dict[Place, Span] = {}  # usage is told when its call has ended

    def take(self, event: Event) -> None:
        match event["kind"]:
            case Kind.STATUS if event["name"].startswith("mission."):
                self._take_mission(event)
            case Kind.STATUS | Kind.ACTION:
                self._take_work(event)
            case Kind.HUMAN_INPUT_REQUEST:
                kind = {"longline.request.type": event["data"].get("type")}
                self._begin(event, ("human", event["data"].get("id")), "human", kind)
            case Kind.HUMAN_RESPONSE:
                place = ("human", event["data"].get("request"))
                self._end(event, place, {"longline.request.outcome": event["name"]})
            case Kind.USAGE if event["name"] == "call":
                self._take_usage(event)

    def _take_mission(self, event: Event) -> None:
        if not self.spans:
            numbers = {"longline.mission.id": event["mission"]}
            self._begin(event, ("mission",), "mission", numbers)
        elif event["name"] == "mission.queued":
            self._break_off(event)
        elif event["name"] in ENDS:
            self._break_off(event, also_human=True)
            ended = {
                "longline.status": event["data"].get("to"),
                "longline.attempts": event["attempt"],
            }
            self._end(event, ("mission",), ended)

    def _take_work(self, event: Event) -> None:
        what, _, phase = event["name"].rpartition(".")
        if what in ("task", "agent"):
            place = _working(event) if what == "agent" else ("task", event.get("task"))
        else:
            place = ("call", what, event.get("call"))
        if phase == BEGUN:
            self._begin(event, place, what, _attributes(event, what))
        else:
            self._end(event, place, {})

    def _take_usage(self, event: Event) -> None:
        span = self._latest.get(("call", "llm", event.get("call")))
        used = event["data"]
        if span is not None:
            span.attributes["gen_ai.usage.input_tokens"] = used.get("prompt_tokens")
            span.attributes["gen_ai.usage.output_tokens"] = used.get("completion_tokens")
            span.attributes["longline.cost_usd"] = used.get("cost_usd")

    def _begin(self, event: Event, place: Place, name: str, attributes: dict[str, Any]) -> None:
        parent = self._parent(event, place)
        attributes = {"longline.attempt": event["attempt"], **attributes}
        span = Span(event["mseq"], parent, name, _ms(event), attributes=attributes)
        self.spans.append(span)
        self._open[place] = self._latest[place] = span

    def _end(self, event: Event, place: Place, attributes: dict[str, Any]) -> None:
        """End what is open there; a phase between, or an end of nothing, ends nothing."""
        span = self._open.pop(place, None)
        if span is None:
            return
        phase = event["name"].rpartition(".")[2]
        span.end_ms = _ms(event)
        span.error = None if phase in GOOD_ENDS else phase
        span.attributes |= attributes

    def _break_off(self, event: Event, *, also_human: bool = False) -> None:
        """End what an attempt leaves open. A question outlives it."""
        for place, span in list(self._open.items()):
            if place[0] != "mission" and (also_human or place[0] != "human"):
                span.end_ms, span.error = _ms(event), "broken off"
                del self._open[place]

    def _parent(self, event: Event, place: Place) -> int | None:
        outer: list[Place] = [("task", event.get("task")), ("mission",)]
        if place[0] in ("call", "human"):
            outer.insert(0, _working(event))
        found = (self._open.get(one) for one in outer if one != place)
        return next((span.id for span in found if span is not None), None)


def _working(event: Event) -> Place:
    return ("agent", event.get("task"), event.get("agent"))


def _attributes(event: Event, what: str) -> dict[str, Any]:
    """As the conventions for generative AI name them, where they do."""
    data = event["data"]
    known = {
        "longline.task": event.get("task"),
        "gen_ai.agent.name": event.get("agent"),
        "gen_ai.operation.name": {
            "agent": "invoke_agent", "llm": "chat", "tool": "execute_tool",
        }.get(what),
        "gen_ai.request.model": data.get("model") if what == "llm" else None,
        "gen_ai.tool.name": data.get("tool") if what == "tool" else None,
    }  # fmt: skip
    return {name: value for name, value in known.items() if value is not None}


def _ms(event: Event) -> int:
    at = clock.ms_of(event["at"])
    assert at is not None, "the log renders all its times"
    return at
