"""What langchain's callbacks hold, as JSON values. Pure: from its objects to plain ones."""

from typing import Any

from langgraph.types import Command
from pydantic import BaseModel

from service.agents.crewai.reading import MESSAGE_MAX, MESSAGES_MAX
from service.agents.values import jsonable, shortened
from service.events.text import encode, repair

ROLES = {"human": "user", "ai": "assistant"}  # as everybody else calls them
INJECTED = ("runtime", "state", "store", "config")  # by langgraph, not by the model


def is_step(name: Any, tags: Any, metadata: Any) -> bool:
    """Whether a run is a node of the outermost graph, not something inside of one."""
    known = metadata or {}
    is_node = any(str(tag).startswith("graph:step:") for tag in tags or ())
    inside = "|" in str(known.get("langgraph_checkpoint_ns", ""))
    return is_node and not inside and name == known.get("langgraph_node")


def model_name(metadata: Any, parameters: dict[str, Any]) -> str:
    known = metadata or {}
    return str(
        known.get("ls_model_name") or parameters.get("model") or parameters.get("model_name")
    )


def messages(items: list[Any]) -> list[Any]:
    newest = items[-MESSAGES_MAX:]
    return [jsonable(_shown(message), text_max=MESSAGE_MAX) for message in newest]


def _shown(message: Any) -> dict[str, Any]:
    shown = {"role": ROLES.get(message.type, message.type), "content": message.content}
    calls = getattr(message, "tool_calls", None)
    return shown | ({"tool_calls": calls} if calls else {})


def prompts(texts: list[str]) -> list[Any]:
    return [{"role": "user", "content": shortened(text, MESSAGE_MAX)} for text in texts]


def tool_name(tool: Any) -> str:
    return str((tool.get("function") or tool).get("name")) if isinstance(tool, dict) else str(tool)


def deltas(token: Any, chunk: Any) -> tuple[str, str, str]:
    """The text, the arguments of tool calls and the thoughts in one chunk, as they came."""
    message = getattr(chunk, "message", None)
    if message is None:
        return (token if isinstance(token, str) else ""), "", ""
    args = "".join(part.get("args") or "" for part in getattr(message, "tool_call_chunks", ()))
    return text_of(message), args, _thought(message)


def text_of(message: Any) -> str:
    """A message's text, without what is not text."""
    content = getattr(message, "content", "")
    if isinstance(content, str):
        return content
    parts = (part if isinstance(part, str) else part.get("text") or "" for part in content)
    return "".join(parts)


def _thought(message: Any) -> str:
    further = getattr(message, "additional_kwargs", {})
    content = message.content if isinstance(message.content, list) else []
    blocks = (
        part.get("thinking") or part.get("reasoning") for part in content if isinstance(part, dict)
    )
    return str(further.get("reasoning_content") or "".join(block for block in blocks if block))


def message_of(response: Any) -> Any:
    """The message of a model's result, None of a model that has only text."""
    generations = response.generations[0] if response.generations else []
    return getattr(generations[0], "message", None) if generations else None


def finish_reason(response: Any, message: Any) -> str | None:
    known = getattr(message, "response_metadata", None) or {}
    if known.get("finish_reason") or known.get("stop_reason"):
        return str(known.get("finish_reason") or known.get("stop_reason"))
    generations = response.generations[0] if response.generations else []
    info = (generations[0].generation_info or {}) if generations else {}
    return info.get("finish_reason")


def usage(model: str, message: Any, response: Any) -> dict[str, Any]:
    """Zeros when the endpoint reports nothing. Prices are not known here."""
    found = getattr(message, "usage_metadata", None) or {}
    old = (response.llm_output or {}).get("token_usage") or {}
    return {
        "model": model,
        "prompt_tokens": found.get("input_tokens") or old.get("prompt_tokens") or 0,
        "completion_tokens": found.get("output_tokens") or old.get("completion_tokens") or 0,
        "cached_tokens": (found.get("input_token_details") or {}).get("cache_read") or 0,
        "reasoning_tokens": (found.get("output_token_details") or {}).get("reasoning") or 0,
        "cost_usd": None,
    }


def arguments(inputs: Any, text: str) -> Any:
    if isinstance(inputs, dict):
        return jsonable({name: value for name, value in inputs.items() if name not in INJECTED})
    return shortened(text)


def tool_output(output: Any) -> Any:
    content = getattr(output, "content", output)
    return jsonable(content)


def output(value: Any) -> tuple[str, Any]:
    """What a step or a run ended with: its text, and its JSON where it is more than text.

    Of a state with messages, the text of the newest.
    """
    value = _said(value)
    if value is None or isinstance(value, str):
        return repair(value or ""), None
    if hasattr(value, "content"):
        return repair(text_of(value)), None
    newest = _newest(value)
    plain = jsonable(_plain(value))
    if newest is not None:
        return repair(text_of(newest)), plain
    return shortened(encode(plain)), plain


def _said(value: Any) -> Any:
    """What a step hands on, without where to go on; some hand on a list of one."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Command):
        value = value[0]
    return value.update if isinstance(value, Command) else value


def _newest(value: Any) -> Any:
    found = value.get("messages") if isinstance(value, dict) else getattr(value, "messages", None)
    newest = found[-1] if isinstance(found, list) and found else found
    return newest if hasattr(newest, "content") else None


def _plain(value: Any) -> Any:
    """Messages inside as their role and content; everything else as it is."""
    if hasattr(value, "content") and hasattr(value, "type"):
        return _shown(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.model_dump() if isinstance(value, BaseModel) else value
