"""What crewai's events hold, as JSON values; and what they do not say but their source does."""

import json
from collections.abc import Mapping
from typing import Any

from crewai.flow.flow import Flow
from pydantic import BaseModel

from service.agents.values import jsonable, shortened
from service.events.text import encode, repair

MESSAGES_MAX = 20  # newest messages of a request that llm.started shows
MESSAGE_MAX = 2_000  # characters of each

# crewai's tools for handing work to a colleague; the arguments say to whom.
DELEGATING = frozenset({"delegate_work_to_coworker", "ask_question_to_coworker"})
PLANNER = "Task Execution Planner"  # the role of crewai's own, which `planning` employs


def is_machinery(source: object, event: Any) -> bool:
    """Whether a flow's event is of one that crewai runs inside: its agents and its memory are flows."""
    if not event.type.startswith(("flow_", "method_execution_")):
        return False
    return type(source) is not Flow and type(source).__module__.startswith("crewai.")


def stream(source: object) -> None:
    """Make a model stream, from this call on. Off by default, also in crews that a flow makes."""
    if getattr(source, "stream", None) is False:
        source.stream = True  # type: ignore[attr-defined]


def is_plan(event: Any) -> bool:
    return str(getattr(event.task.agent, "role", "")) == PLANNER


def delegated(event: Any) -> dict[str, Any]:
    args = event.tool_args if isinstance(event.tool_args, dict) else {}
    return {
        "to": args.get("coworker"),
        "task": jsonable(args.get("task") or args.get("question")),
        "context": jsonable(args.get("context")),
    }


def line(value: Any) -> str:
    return value if isinstance(value, str) else encode(value)


def structured(output: Any) -> Any:
    """The structured form of a task's or a crew's output, None when it has none."""
    if output.json_dict is not None:
        return jsonable(output.json_dict)
    return None if output.pydantic is None else jsonable(output.pydantic.model_dump(mode="json"))


def result(value: Any) -> tuple[str, Any]:
    """What a flow's method returned, as text and as JSON where it is more than text."""
    raw = getattr(value, "raw", None)
    if isinstance(raw, str):
        return repair(raw), structured(value) if hasattr(value, "json_dict") else None
    if value is None or isinstance(value, str):
        return repair(value or ""), None
    is_json = isinstance(value, (dict, list, BaseModel))
    return shortened(encode(jsonable(value)) if is_json else str(value)), jsonable(value)


def trimmed(messages: Any) -> Any:
    if isinstance(messages, str):
        return shortened(messages, MESSAGE_MAX)
    newest = list(messages or [])[-MESSAGES_MAX:]
    return [jsonable(shown(message), text_max=MESSAGE_MAX) for message in newest]


def shown(message: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if value and key in SHOWN}


SHOWN = frozenset({"role", "content", "tool_calls", "name"})  # of a message; no marks of crewai


def tool_name(tool: Mapping[str, Any]) -> str:
    return str((tool.get("function") or tool).get("name"))


def tool_data(event: Any) -> dict[str, Any]:
    return {"tool": event.tool_name, "args": jsonable(event.tool_args)}


def usage(event: Any) -> dict[str, Any]:
    """Zeros when the endpoint reports nothing. Prices are not known here."""
    usage = event.usage or {}
    return {
        "model": event.model,
        "prompt_tokens": _first(usage, *PROMPT) + sum(_first(usage, name) for name in BESIDE),
        "completion_tokens": _first(usage, *COMPLETION),
        "cached_tokens": _first(usage, *CACHED),
        "reasoning_tokens": _first(usage, "reasoning_tokens"),
        "cost_usd": None,
    }


# What each provider calls it; crewai hands it on in the provider's words.
PROMPT = ("prompt_tokens", "input_tokens", "prompt_token_count", "inputTokens")
COMPLETION = ("completion_tokens", "output_tokens", "outputTokens", "candidates_token_count")
CACHED = ("cached_prompt_tokens", "cacheReadInputTokens")
# Counted beside the prompt, where the others count them in it.
BESIDE = ("cacheReadInputTokens", "cacheWriteInputTokens")  # Bedrock


def _first(usage: Mapping[str, Any], *names: str) -> int:
    return next((int(usage[name]) for name in names if usage.get(name)), 0)


def fenced(value: Any) -> str:
    """A value as it is shown to a human: a block of JSON in markdown."""
    return f"```json\n{json.dumps(jsonable(value), indent=2, ensure_ascii=False)}\n```"
