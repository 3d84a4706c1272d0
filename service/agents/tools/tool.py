"""A tool as no framework knows it: a name, what a model is told of it, and a function of plain values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel


class Place(Protocol):
    """Who uses a tool just now, by the mission's names."""

    @property
    def agent(self) -> str | None: ...

    @property
    def task(self) -> str | None: ...

    def number(self, kind: str) -> int:
        """1, 2, … for each question of a kind within the task, the same ones in a later attempt."""


@dataclass(frozen=True, slots=True)
class Tool:
    """run: takes what args_schema describes, by name, and returns what the model is told.

    one_by_one: calls of it must not run beside each other, because their order counts.
    A fault that the agent can act on is returned as text, "Error: …"; an exception is a failed call.
    """

    name: str
    description: str
    args_schema: type[BaseModel]
    run: Callable[..., Any]
    one_by_one: bool = False


def refusal(reason: str) -> str:
    """What a model is told when a call could not be done as asked."""
    return f"Error: {reason}"
