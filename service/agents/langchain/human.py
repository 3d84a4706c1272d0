"""A graph's questions to a human: interrupt(), and the approval of tool calls by its middleware."""

import json
from typing import Any

from service.agents.crewai.approval import REJECT
from service.agents.crewai.reading import fenced
from service.agents.guard import GuardedContext
from service.agents.langchain.scene import Scene
from service.agents.values import jsonable
from service.requests.question import Answer, Question, RequestStatus

# Under which keys graphs put the question itself, when they hand over an object.
ASKING = ("question", "prompt", "message", "query", "instruction", "instructions", "title")
NO_QUESTION = "The graph waits for an answer."
CHANGED = "The call was not allowed, and no other one was seen."


class Questions:
    """Makes requests of what a graph stops for."""

    def __init__(self, context: GuardedContext, scene: Scene, task: str | None) -> None:
        self._context = context
        self._scene = scene
        self._task = task

    def answer(self, interrupt: Any, nth: int, *, task: str | None = None) -> Any:
        """What the graph goes on with. nth: of the questions in its step, in any attempt.

        task: whose step it is, where that is not the one task of all questions.
        """
        task = self._task or task
        value = interrupt.value
        key = f"interrupt:{self._task}:{interrupt.id}:{nth}"
        if isinstance(value, dict) and "action_requests" in value:
            return {"decisions": self._decisions(value, key, task)}
        prompt, context = _shown(value)
        answer = self._ask(key, task, prompt=prompt, context=context)
        return _meant(answer.value)

    def _ask(self, key: str, task: str | None, **question: Any) -> Answer:
        return self._context.ask(Question(key=key, agent=self._scene.agent, task=task, **question))

    def _decisions(self, value: dict[str, Any], key: str, task: str | None) -> list[dict[str, Any]]:
        reviews = {review["action_name"]: review for review in value.get("review_configs", [])}
        return [
            self._decide(action, reviews.get(action["name"], {}), f"{key}:{place}", task)
            for place, action in enumerate(value["action_requests"])
        ]

    def _decide(
        self, action: dict[str, Any], review: dict[str, Any], key: str, task: str | None
    ) -> dict[str, Any]:
        """One call's decision, in the middleware's words. What it does not allow is a rejection."""
        call = {"tool": action["name"], "args": jsonable(action.get("args") or {})}
        answer = self._ask(
            key,
            task,
            type="approval",
            prompt=f"May {self._scene.agent or 'the agent'} use {action['name']}?",
            context=fenced(call),
            default=REJECT,
        )
        verdict = answer.value if isinstance(answer.value, dict) else dict(REJECT)
        if answer.status is not RequestStatus.ANSWERED and not verdict.get("decision"):
            verdict = dict(REJECT)
        decision = verdict.get("decision")
        allowed = review.get("allowed_decisions") or ("approve", "edit", "reject")
        if decision == "approve" and "approve" in allowed:
            return {"type": "approve"}
        if decision == "edit" and "edit" in allowed and isinstance(verdict.get("args"), dict):
            return {
                "type": "edit",
                "edited_action": {"name": action["name"], "args": verdict["args"]},
            }
        return {"type": "reject", "message": str(verdict.get("comment") or CHANGED)}


def _shown(value: Any) -> tuple[str, str | None]:
    """The prompt and the context of what was handed to interrupt()."""
    if isinstance(value, str):
        return value or NO_QUESTION, None
    if isinstance(value, dict):
        name = next((name for name in ASKING if isinstance(value.get(name), str)), None)
        if name is not None:
            rest = {key: item for key, item in value.items() if key != name}
            return value[name], fenced(rest) if rest else None
    return NO_QUESTION, fenced(value)


def _meant(answer: Any) -> Any:
    """The answer as the graph gets it: a text that is a JSON object, a list, true or false as that."""
    if not isinstance(answer, str):
        return answer
    try:
        value = json.loads(answer)
    except ValueError:
        return answer
    return value if isinstance(value, dict | list | bool) else answer
