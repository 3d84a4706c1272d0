"""A mission's limits while it runs: counted, and kept. What stops the process itself is the supervisor's."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from service.events.kinds import Kind, NewEvent
from service.missions.spec import LimitsSpec
from service.requests.question import Answer, Question, RequestStatus

Ask = Callable[[Question], Answer]

MEANT = {"max_tokens": "tokens", "max_cost_usd": "US dollars", "max_seconds": "seconds"}
UNPRICED = "The price of {model} is not known, so max_cost_usd cannot be kept."


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was reached. used: None where that is not known."""

    limit: str
    allowed: float
    used: float | None
    message: str

    def as_data(self) -> dict[str, Any]:
        return {
            "code": "limit",
            "message": self.message,
            "retryable": False,
            "limit": self.limit,
            "allowed": self.allowed,
            "used": self.used,
        }

    def as_event(self) -> NewEvent:
        return NewEvent(Kind.ERROR, "limit", self.as_data())


def too_long(allowed_s: float) -> Breach:
    message = f"It ran longer than {allowed_s:g} s."
    return Breach("max_seconds", allowed_s, allowed_s, message)


class Limits:
    """Counts an attempt's usage on top of what earlier ones used. Safe to use from any thread.

    ask: asks a human, where the mission wants that; None stops it at once. While somebody is
    asked the mission pauses: whoever looks in here waits for the answer.
    """

    def __init__(
        self, limits: LimitsSpec, *, tokens: int, cost_usd: float | None, ask: Ask | None
    ) -> None:
        self._allowed: dict[str, float | None] = {name: getattr(limits, name) for name in MEANT}
        self._tokens, self._cost_usd = tokens, cost_usd or 0.0
        self._ask = ask
        self._unpriced = False
        self._raised = dict.fromkeys(MEANT, 0)
        self._lock = threading.RLock()
        self._asking = False
        self.reached: Breach | None = None

    def count(self, usage: dict[str, Any]) -> None:
        """Add a call's usage; may ask. What was reached is in `reached` afterwards."""
        with self._lock:
            self._tokens += (usage.get("prompt_tokens") or 0) + (
                usage.get("completion_tokens") or 0
            )
            self._cost_usd += usage.get("cost_usd") or 0.0
            unpriced = usage.get("cost_usd") is None
            for breach in (self._tokens_breach(), self._cost_breach(usage, unpriced=unpriced)):
                if breach is not None and self.reached is None:
                    self._meet(breach)

    def pause(self) -> None:
        """Return when nobody is being asked about a limit."""
        if self._asking:
            with self._lock:
                pass

    def ask_for_seconds(self, used: float) -> float | None:
        """How many seconds a human allows, when the mission has used what it had; None to stop."""
        with self._lock:
            return self._raise_to(too_long(used))

    def _tokens_breach(self) -> Breach | None:
        allowed = self._allowed["max_tokens"]
        if allowed is None or self._tokens <= allowed:
            return None
        message = f"It used {self._tokens} tokens, and may use {allowed:g}."
        return Breach("max_tokens", allowed, self._tokens, message)

    def _cost_breach(self, usage: dict[str, Any], *, unpriced: bool) -> Breach | None:
        allowed = self._allowed["max_cost_usd"]
        if allowed is None:
            return None
        if unpriced and not self._unpriced:
            message = UNPRICED.format(model=usage.get("model") or "a model")
            return Breach("max_cost_usd", allowed, None, message)
        if self._cost_usd <= allowed:
            return None
        message = f"It cost ${self._cost_usd:.6g}, and may cost ${allowed:g}."
        return Breach("max_cost_usd", allowed, self._cost_usd, message)

    def _meet(self, breach: Breach) -> None:
        """Raise the limit, as a human says; otherwise it is reached."""
        if self._raise_to(breach) is None:
            self.reached = breach
        elif breach.used is None:
            self._unpriced = True  # a human knows it now

    def _raise_to(self, breach: Breach) -> float | None:
        if self._ask is None:
            return None
        self._raised[breach.limit] += 1
        with self._paused():
            answer = self._ask(_question(breach, self._raised[breach.limit]))
        new = answer.value.get("new_limit") if isinstance(answer.value, dict) else None
        if answer.status is not RequestStatus.ANSWERED or new is None:
            return None
        self._allowed[breach.limit] = float(new)
        return float(new)

    @contextmanager
    def _paused(self) -> Iterator[None]:
        self._asking = True
        try:
            yield
        finally:
            self._asking = False


def _question(breach: Breach, number: int) -> Question:
    """The same one in a later attempt: what a human has allowed stays allowed."""
    least = breach.allowed if breach.used is None else max(breach.used, breach.allowed)
    new_limit = {
        "type": "number",
        "exclusiveMinimum" if breach.used is not None else "minimum": least,
        "title": f"New limit in {MEANT[breach.limit]}",
    }
    return Question(
        key=f"limit:{breach.limit}:{number}",
        type="form",
        prompt=f"{breach.message} Give a new limit to go on; leave it out to stop the mission.",
        schema={
            "type": "object",
            "properties": {"new_limit": new_limit},
            "additionalProperties": False,
        },
        default={},
    )
