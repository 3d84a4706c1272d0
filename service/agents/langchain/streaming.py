"""Answers of models are streamed wherever they can be, and counted, whatever their owner has set."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_openai.chat_models.base import BaseChatOpenAI


@contextmanager
def streaming_whole() -> Iterator[None]:
    """While this lasts, models stream and count as said here; afterwards as langchain has it."""
    theirs = (
        BaseChatModel._streaming_disabled,
        BaseChatOpenAI._should_stream_usage,
    )
    _stream_by(_cannot_stream, _counting(theirs[1]))
    try:
        yield
    finally:
        _stream_by(*theirs)


def _stream_by(disabled: Any, counting: Any) -> None:
    BaseChatModel._streaming_disabled = disabled  # type: ignore[method-assign]
    BaseChatOpenAI._should_stream_usage = counting  # type: ignore[method-assign]


def _cannot_stream(self: BaseChatModel, **named: Any) -> bool:
    """What its owner says it cannot is left as it is; what is only switched off is switched on."""
    if self.disable_streaming == "tool_calling":
        return bool(named.get("tools"))
    return self.disable_streaming


def _counting(theirs: Any) -> Any:
    """Ask for the usage of a streamed answer wherever nobody has said that it is not wanted.

    langchain leaves it off for every endpoint but OpenAI's own.
    """

    def ours(self: BaseChatOpenAI, stream_usage: bool | None = None, **named: Any) -> bool:
        wanted = stream_usage if stream_usage is not None else self.stream_usage
        return bool(theirs(self, True if wanted is None else wanted, **named))

    return ours
