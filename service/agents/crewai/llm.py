"""crewai's client of an OpenAI-compatible endpoint, whatever the model's name."""

import functools
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx
import openai
from crewai.llms.context_window import (
    CONTEXT_WINDOW_USAGE_RATIO,
    OPENAI_CONTEXT_WINDOWS,
    resolve_context_window_size,
)
from crewai.llms.providers.openai.completion import OpenAICompletion
from crewai.utilities.pydantic_schema_utils import generate_model_description
from pydantic import BaseModel, PrivateAttr, ValidationError, model_validator

from service.agents.endpoint import Endpoint
from service.events.text import repair

# Between two chunks a reasoning model says nothing for minutes.
TIMEOUT = httpx.Timeout(300.0, connect=10.0)
O1 = re.compile(r"(?:^|/)o1(?:-|$)")
UNKNOWN_CONTEXT_TOKENS = 128_000  # too much only costs one refused request
CHARACTERS_PER_TOKEN = 4  # of English prose
RETRIES = 2  # by the client, before an answer begins; afterwards crewai tries the agent again

Shape = type[BaseModel] | None  # of an answer


class Model(OpenAICompletion):
    """OpenAICompletion for endpoints and names that crewai knows nothing of.

    It takes a model of an unknown name for one with 8192 tokens, and one with o1 anywhere in its
    name (turbo1) for one without tools. It counts a request's tokens with a warning in each
    call, or at OpenAI with a request of its own.
    """

    _context_tokens: int | None = PrivateAttr(default=None)

    @classmethod
    def at(cls, endpoint: Endpoint) -> Self:
        model = cls(
            model=endpoint.model,
            provider="openai",
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            temperature=endpoint.temperature,
            max_tokens=endpoint.max_tokens,
            stream=True,
            max_retries=RETRIES,
        )
        model._context_tokens = endpoint.context_tokens
        model.is_o1_model = bool(O1.search(endpoint.model))
        return model

    @model_validator(mode="after")
    def _init_clients(self) -> Self:
        """In place of crewai's, which makes the asynchronous one too: few missions ever use that."""
        self._client = self._build_sync_client()
        return self

    def close(self) -> None:
        """End its connections, also one in the middle of an answer."""
        self._client.close()

    def _build_sync_client(self) -> openai.OpenAI:
        client = openai.DefaultHttpxClient(verify=_trust(), timeout=TIMEOUT)
        return openai.OpenAI(**self._get_client_params(), timeout=TIMEOUT, http_client=client)

    def _build_async_client(self) -> openai.AsyncOpenAI:
        client = openai.DefaultAsyncHttpxClient(verify=_trust(), timeout=TIMEOUT)
        return openai.AsyncOpenAI(**self._get_client_params(), timeout=TIMEOUT, http_client=client)

    def get_input_tokens_count(self, messages: Any, *_: Any, **__: Any) -> int:
        """A guess, which only decides when crewai shortens a conversation."""
        return len(str(messages)) // CHARACTERS_PER_TOKEN

    def get_context_window_size(self) -> int:
        """The endpoint's own, or what crewai's list says, or what most have today."""
        if self._context_tokens:
            return int(self._context_tokens * CONTEXT_WINDOW_USAGE_RATIO)
        return resolve_context_window_size(
            self.model, OPENAI_CONTEXT_WINDOWS, default=UNKNOWN_CONTEXT_TOKENS
        )

    def _format_messages(self, messages: Any, *, file_api: str | None = None) -> list[Any]:
        """A lone surrogate in a model's answer must not break the next request."""
        messages = super()._format_messages(messages, file_api=file_api)
        return [_repaired(message) for message in messages]


@contextmanager
def streaming_whole() -> Iterator[None]:
    """While this lasts, answers of a shape are streamed and counted like any other, by every client.

    crewai's own way loses the usage of an answer that does not fit, and asks the same again.
    Given as text, the answer is turned into the shape afterwards, with what is wrong with it.
    """
    theirs = OpenAICompletion._handle_streaming_completion
    theirs_async = OpenAICompletion._ahandle_streaming_completion

    def ours(
        self: Any, params: Any, *given: Any, response_model: Shape = None, **named: Any
    ) -> Any:
        answer = theirs(self, _asking(params, response_model), *given, **named)
        return _shaped(answer, response_model)

    async def ours_async(
        self: Any, params: Any, *given: Any, response_model: Shape = None, **named: Any
    ) -> Any:
        answer = await theirs_async(self, _asking(params, response_model), *given, **named)
        return _shaped(answer, response_model)

    _stream_by(ours, ours_async)
    try:
        yield
    finally:
        _stream_by(theirs, theirs_async)


def _stream_by(sync: Any, by_async: Any) -> None:
    OpenAICompletion._handle_streaming_completion = sync  # type: ignore[method-assign]
    OpenAICompletion._ahandle_streaming_completion = by_async  # type: ignore[method-assign]


def _asking(params: dict[str, Any], shape: Shape) -> dict[str, Any]:
    return (
        params if shape is None else params | {"response_format": generate_model_description(shape)}
    )


def _shaped(answer: Any, shape: Shape) -> Any:
    """The answer as a value of the shape; as it is where it does not fit."""
    if shape is None:
        return answer
    try:
        return shape.model_validate_json(answer)
    except (ValidationError, TypeError):
        return answer


@functools.cache
def _trust() -> ssl.SSLContext:
    """Whom we trust. Reading all the certificates takes 30 ms for each client, and a fork inherits it."""
    return httpx.create_ssl_context()


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return repair(value)
    if isinstance(value, list):
        return [_repaired(item) for item in value]
    if isinstance(value, dict):
        return {key: _repaired(item) for key, item in value.items()}
    return value
