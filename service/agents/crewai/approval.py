"""Approval of tool calls by a human, through crewai's tool hooks. Fails closed.

crewai runs a tool when a hook raises an Exception: so nothing here may let one out, except what
ends the crew. Blocking says nothing to the agent but "blocked by hook"; what the human said is
put in its place after the call.
"""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crewai.hooks import tool_hooks
from crewai.utilities.string_utils import sanitize_tool_name

from service.agents.crewai.stage import Calls, Stage
from service.agents.guard import GuardedContext
from service.agents.values import jsonable
from service.events.kinds import Kind
from service.requests.question import Answer, Question, RequestStatus

REJECT = {"decision": "reject", "comment": "Nobody decided in time."}

_log = logging.getLogger(__name__)


class Approvals:
    """Asks before each call of a tool that its agent may not use alone.

    gated: pairs of agent and tool, by the mission's names; crewai writes a tool's name its own way.
    """

    def __init__(
        self,
        context: GuardedContext,
        stage: Stage,
        calls: Calls,
        gated: frozenset[tuple[str, str]],
    ) -> None:
        self._context = context
        self._stage = stage
        self._calls = calls
        self._gated = {(agent, sanitize_tool_name(tool)) for agent, tool in gated}
        self._words: dict[int, tuple[bool, str]] = {}  # by thread: blocked, and what to say

    @contextmanager
    def asked(self) -> Iterator[None]:
        """While this lasts, every gated call in this process is asked for."""
        if not self._gated:
            yield
            return
        before, after = self._before, self._after  # one object each: they are found by identity
        tool_hooks.register_before_tool_call_hook(before)
        tool_hooks.register_after_tool_call_hook(after)
        try:
            yield
        finally:
            tool_hooks.unregister_before_tool_call_hook(before)
            tool_hooks.unregister_after_tool_call_hook(after)

    def _before(self, call: tool_hooks.ToolCallHookContext) -> bool | None:
        """False blocks the call."""
        self._words.pop(threading.get_ident(), None)
        agent = self._agent(call)
        if (agent, sanitize_tool_name(call.tool_name)) not in self._gated:
            return None
        try:
            return self._decide(agent, call)
        except Exception:  # noqa: BLE001 - crewai would run the tool
            _log.exception("The approval of %s failed", call.tool_name)
            self._block(agent, call, "It could not be approved.")
            return False

    def _after(self, call: tool_hooks.ToolCallHookContext) -> str | None:
        """What the agent gets instead of the result, None leaves it."""
        blocked, words = self._words.pop(threading.get_ident(), (False, ""))
        if blocked or not words:
            return words or None
        return f"{words}\n{call.tool_result}"

    def _agent(self, call: tool_hooks.ToolCallHookContext) -> str | None:
        known = self._stage.name_of(call.agent.id) if call.agent else None
        return known or self._stage.agent

    def _decide(self, agent: str | None, call: tool_hooks.ToolCallHookContext) -> bool | None:
        answer = self._ask(agent, call)
        args = _approved_args(answer)
        if args is None:
            self._block(agent, call, _comment(answer))
            return False
        if args != jsonable(call.tool_input):
            call.tool_input.clear()  # in place: crewai calls the tool with this very object
            call.tool_input.update(args)
            words = f"A human changed the arguments of this call to {json.dumps(args)}."
            self._words[threading.get_ident()] = (False, words)
        return None

    def _ask(self, agent: str | None, call: tool_hooks.ToolCallHookContext) -> Answer:
        number = self._stage.number(f"approve:{call.tool_name}")
        return self._context.ask(
            Question(
                key=f"approve:{self._stage.task}:{call.tool_name}:{number}",
                type="approval",
                prompt=f"May {agent} use {call.tool_name}?",
                context=_shown(call.tool_name, call.tool_input),
                default=REJECT,
                agent=agent,
                task=self._stage.task,
            )
        )

    def _block(self, agent: str | None, call: tool_hooks.ToolCallHookContext, comment: str) -> None:
        words = f"A human did not allow this call of {call.tool_name}. {comment}".strip()
        self._words[threading.get_ident()] = (True, words)
        open_call = self._calls.of_thread() or self._calls.new()
        open_call.blocked = True
        data = {"tool": call.tool_name, "args": jsonable(call.tool_input), "reason": comment}
        self._context.emit(
            Kind.ACTION,
            "tool.blocked",
            data,
            agent=agent,
            task=self._stage.task,
            call=open_call.id,
        )


def _shown(tool: str, args: dict[str, Any]) -> str:
    shown = {"tool": tool, "args": jsonable(args)}
    return f"```json\n{json.dumps(shown, indent=2, ensure_ascii=False)}\n```"


def _approved_args(answer: Answer) -> dict[str, Any] | None:
    """The arguments to call the tool with, None when it must not be called.

    An approval is for the call that the human saw, which after a lost worker may not be the
    one that is asked for now.
    """
    verdict = answer.value if isinstance(answer.value, dict) else {}
    if answer.status is not RequestStatus.ANSWERED:
        return None
    if verdict.get("decision") == "edit" and isinstance(verdict.get("args"), dict):
        return dict(verdict["args"])
    if verdict.get("decision") == "approve":
        return _args_seen(answer)
    return None


def _args_seen(answer: Answer) -> dict[str, Any] | None:
    try:
        seen = json.loads((answer.context or "").removeprefix("```json").removesuffix("```"))
        return dict(seen["args"])
    except (ValueError, TypeError, KeyError):
        return None


def _comment(answer: Answer) -> str:
    if answer.status is not RequestStatus.ANSWERED:
        return str(REJECT["comment"])
    verdict = answer.value if isinstance(answer.value, dict) else {}
    return str(verdict.get("comment") or "")
