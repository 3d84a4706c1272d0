"""A mission that runs a project of the operator's. Its agents and tasks are in its code, not here."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from service.missions.spec import (
    AgentSpec,
    HumanSpec,
    LimitsSpec,
    Line,
    Moment,
    Priority,
    Strict,
    TaskSpec,
)

# A name to be looked up among what is registered: never a path, an import string or a URL.
PROJECT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
ProjectName = Annotated[str, StringConstraints(pattern=PROJECT_NAME)]


class ProjectSpec(Strict):
    """What a mission gives to a project. Round-trips through JSON unchanged.

    engine: which framework runs it, as the registered project says; a request leaves it out.
    """

    title: Line | None = None
    project: ProjectName
    engine: Literal["crewai", "langchain"] | None = None
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    human: HumanSpec = HumanSpec()
    limits: LimitsSpec = LimitsSpec()
    on_limit: Literal["fail", "ask"] = "fail"
    on_worker_lost: Literal["resume", "restart", "fail", "ask"] = "resume"
    priority: Priority = 0
    not_before: Moment | None = None

    @property
    def agents(self) -> list[AgentSpec]:
        """Not known before it runs."""
        return []

    @property
    def plan(self) -> list[TaskSpec]:
        """Not known before it runs; then `plan.known` tells."""
        return []

    def display_title(self) -> str:
        return self.title or self.project

    def model_names(self) -> Iterator[tuple[str, str]]:
        """None: a project brings its own models."""
        yield from ()

    def tool_names(self) -> Iterator[tuple[str, str]]:
        """None: a project brings its own tools."""
        yield from ()
