"""What the scripted model is told to say: rules, replies, and what was sent for them. Serves nothing."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

DEFAULT_TEXT = "All is well."
TOKENS = re.compile(r"\s*\S+|\s+")  # words with the space before them: a stand-in for tokens


@dataclass(frozen=True)
class ToolCall:
    """A tool call of a reply. arguments: an object, or the very text to send."""

    name: str
    arguments: dict[str, Any] | str

    @property
    def text(self) -> str:
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True)
class Reply:
    """What to send, and how badly.

    chunks: the text in these pieces instead of words. delay_s: before each chunk, after
    `first_delay_s` before the first. cut_after, hang_after: close the connection, or send nothing
    more, after that many chunks. status: an HTTP error with `error` as its message.
    usage: what to report; left out, words sent and received are counted.
    escaped: JSON with \\u escapes instead of UTF-8.
    """

    text: str = ""
    chunks: list[str] | None = None
    tool_calls: list[ToolCall] = field(default_factory=list)
    delay_s: float = 0.0
    first_delay_s: float = 0.0
    cut_after: int | None = None
    hang_after: int | None = None
    status: int = 200
    error: str = "scripted failure"
    usage: dict[str, Any] | None = None
    escaped: bool = False

    def pieces(self) -> list[str]:
        return TOKENS.findall(self.text) if self.chunks is None else self.chunks


@dataclass
class Rule:
    """When a reply is given; see the module."""

    reply: Reply
    last: str | None = None
    system: str | None = None
    any: str | None = None
    tools: bool | None = None
    times: int | None = None
    used: int = 0

    def fits(self, request: dict[str, Any]) -> bool:
        texts = [_text_of(message) for message in request["messages"]]
        return (
            (self.times is None or self.used < self.times)
            and (self.last is None or self.last in texts[-1])
            and (self.system is None or self.system in _system_text(request))
            and (self.any is None or any(self.any in text for text in texts))
            and (self.tools is None or self.tools == bool(request.get("tools")))
        )


@dataclass
class Exchange:
    """One request and what went out for it: text, tool_args and chunks are what was written.

    at: when it came, in seconds since the epoch.
    """

    request: dict[str, Any]
    authorization: str | None
    status: int = 200
    text: str = ""
    tool_args: str = ""
    chunks: int = 0
    usage: dict[str, Any] | None = None
    finished: bool = False
    at: float = field(default_factory=time.time)

    @property
    def last_message(self) -> str:
        return _text_of(self.request["messages"][-1])


def deltas(reply: Reply) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Each chunk's delta, with the text and the tool arguments in it."""
    role = {"role": "assistant"}  # of the first alone: clients add up what each says
    for piece in reply.pieces():
        yield {**role, "content": piece}, piece, ""
        role = {}
    for index, call in enumerate(reply.tool_calls):
        opening = call_json(index, call) | {"function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [opening]}, "", ""
        for piece in re.findall(r"(?s).{1,8}", call.text):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, "", piece


def call_json(index: int, call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.text}
    return {"index": index, "id": f"call_{index}", "type": "function", "function": function}


def envelope(kind: str, request: dict[str, Any], choices: list[Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-scripted",
        "object": kind,
        "created": 0,
        "model": request.get("model"),
        "choices": choices,
    }


def finish_reason(reply: Reply) -> str:
    return "tool_calls" if reply.tool_calls else "stop"


def usage_of(request: dict[str, Any], reply: Reply) -> dict[str, Any]:
    if reply.usage is not None:
        return reply.usage
    prompt = sum(len(_text_of(message).split()) for message in request["messages"])
    completion = sum(1 for _ in deltas(reply))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": prompt // 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }


def embeddings(request: dict[str, Any]) -> dict[str, Any]:
    """A short vector for each text, nearer to each other the more letters they share."""
    texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
    data = [
        {"object": "embedding", "index": index, "embedding": [float(text.count(c)) for c in "aeinorst"]}
        for index, text in enumerate(texts)
    ]  # fmt: skip
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "model": request.get("model"), "data": data, "usage": usage}


def _text_of(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def _system_text(request: dict[str, Any]) -> str:
    system = (m for m in request["messages"] if m.get("role") == "system")
    return "\n".join(_text_of(message) for message in system)


def rule_from_json(data: dict[str, Any]) -> Rule:
    """A rule of a script file."""
    reply = dict(data.get("reply", {}))
    reply["tool_calls"] = [ToolCall(**call) for call in reply.get("tool_calls", [])]
    conditions = {name: value for name, value in data.items() if name != "reply"}
    return Rule(Reply(**reply), **conditions)
