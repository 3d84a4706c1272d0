"""A human's part in a flow: Flow.ask and @human_feedback, as requests instead of on a terminal."""

# ruff: noqa: ARG002 - crewai passes these by name

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crewai.flow.async_feedback.types import PendingFeedbackContext
from crewai.flow.flow_config import flow_config

from service.agents.crewai import reading
from service.agents.crewai.stage import Stage
from service.agents.guard import GuardedContext
from service.requests.question import Question

FEEDBACK = "What do you say to this? Leave it empty to go on without feedback."
OUTCOMES = "\n\nThe flow then goes on with one of: {}."


class FlowInput:
    """What Flow.ask asks."""

    def __init__(self, context: GuardedContext, stage: Stage) -> None:
        self._context = context
        self._stage = stage

    def request_input(
        self, message: str, flow: Any, metadata: dict[str, Any] | None = None
    ) -> str | None:
        task = self._stage.task
        answer = self._context.ask(
            Question(
                key=f"ask:{task}:{self._stage.number('ask')}",
                prompt=message,
                context=None if not metadata else reading.fenced(metadata),
                task=task,
            )
        )
        return None if answer.value is None else str(answer.value)


class FlowFeedback:
    """What @human_feedback shows. The flow's own model makes an outcome of the answer."""

    def __init__(self, context: GuardedContext, stage: Stage) -> None:
        self._context = context
        self._stage = stage

    def request_feedback(self, context: PendingFeedbackContext, flow: Any) -> str:
        task = self._stage.task or context.method_name
        shown, _ = reading.result(context.method_output)
        if context.emit:
            shown += OUTCOMES.format(", ".join(context.emit))
        answer = self._context.ask(
            Question(
                key=f"feedback:{task}:{self._stage.number('feedback')}",
                prompt=context.message or FEEDBACK,
                context=shown,
                default=context.default_outcome or "",
                task=task,
            )
        )
        return str(answer.value or "")


@contextmanager
def flow_answered_by_human(context: GuardedContext, stage: Stage) -> Iterator[None]:
    """While this lasts, flows of this process that bring no provider of their own ask us."""
    before = flow_config.input_provider, flow_config.hitl_provider
    flow_config.input_provider = FlowInput(context, stage)
    flow_config.hitl_provider = FlowFeedback(context, stage)
    try:
        yield
    finally:
        flow_config.input_provider, flow_config.hitl_provider = before
