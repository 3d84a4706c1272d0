"""A human's part in a crew: the review of a task's result."""

import asyncio
from typing import Any

from crewai.agents.parser import AgentFinish
from crewai.core.providers.human_input import SyncHumanInputProvider

from service.agents.crewai.stage import Stage
from service.agents.guard import GuardedContext
from service.events.kinds import Kind
from service.events.text import repair
from service.requests.question import Answer, Question, RequestStatus

REVIEW = "Is this result right? Leave the answer empty to accept it, or say what to change."
UNREVIEWED = "Nobody reviewed this result in time: it was taken as it is."


class Review(SyncHumanInputProvider):
    """Asks until the answer is empty. What crewai would show on a terminal becomes a request."""

    def __init__(self, context: GuardedContext, stage: Stage) -> None:
        self._context = context
        self._stage = stage

    def handle_feedback(self, formatted_answer: AgentFinish, context: Any) -> AgentFinish:
        while True:
            draft, feedback = self._ask(formatted_answer, context)
            if not feedback:
                context.ask_for_human_input = False
                return draft
            _tell(context, draft, feedback)
            formatted_answer = context._invoke_loop()

    async def handle_feedback_async(
        self, formatted_answer: AgentFinish, context: Any
    ) -> AgentFinish:
        while True:
            draft, feedback = await asyncio.to_thread(self._ask, formatted_answer, context)
            if not feedback:
                context.ask_for_human_input = False
                return draft
            _tell(context, draft, feedback)
            formatted_answer = await context._ainvoke_loop()

    def _ask(self, fresh: AgentFinish, context: Any) -> tuple[AgentFinish, str]:
        """The draft that the human saw, with what they said; "" accepts it.

        After a lost worker the question may be the one of an earlier attempt, and its draft
        another one than ours: theirs counts, because it is what the human has read.
        """
        task = self._stage.name_of(context.task.id) or self._stage.task
        shown = self._get_output_string(fresh)
        answer = self._context.ask(
            Question(
                key=f"review:{task}:{self._stage.number('review')}",
                prompt=REVIEW,
                context=shown,
                default="",
                agent=self._stage.agent,
                task=task,
            )
        )
        seen = answer.context or ""
        draft = fresh if _is_of(seen, shown) else _finish(fresh, seen)
        return draft, self._feedback(answer, task)

    def _feedback(self, answer: Answer, task: str | None) -> str:
        if answer.status is RequestStatus.EXPIRED:
            self._context.emit(
                Kind.THOUGHT,
                "observation",
                {"text": UNREVIEWED},
                agent=self._stage.agent,
                task=task,
            )
            return ""
        return str(answer.value or "").strip()


def _is_of(seen: str, draft: str) -> bool:
    """Whether what the human saw is this draft; a long one is stored cut, with … at its end."""
    draft = repair(draft)
    return seen in ("", draft) or (seen.endswith("…") and draft.startswith(seen[:-1]))


def _finish(fresh: AgentFinish, text: str) -> AgentFinish:
    return AgentFinish(thought=fresh.thought, output=text, text=text)


def _tell(context: Any, draft: AgentFinish, feedback: str) -> None:
    """Add the draft and the feedback to the conversation.

    crewai adds its answer to the conversation only when the agent has tools; without it the
    model would be asked to improve what it cannot see.
    """
    if context.messages and context.messages[-1].get("role") == "assistant":
        context.messages.pop()
    context.messages.append({"role": "assistant", "content": draft.text})
    context.messages.append(context._format_feedback_message(feedback))
