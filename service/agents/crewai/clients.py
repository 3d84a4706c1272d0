"""crewai's client of an endpoint, in the language that it speaks."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from crewai import LLM
from crewai.llms.base_llm import BaseLLM

from service.agents.crewai.llm import Model
from service.agents.endpoint import Endpoint


@contextmanager
def opened(endpoints: Mapping[str | None, Endpoint]) -> Iterator[Mapping[str | None, BaseLLM]]:
    """A client of each endpoint, closed at the end where its kind can be."""
    with ExitStack() as cleanup:
        yield {name: _open(endpoint, cleanup) for name, endpoint in endpoints.items()}


def _open(endpoint: Endpoint, cleanup: ExitStack) -> BaseLLM:
    if endpoint.provider == "openai":
        model = Model.at(endpoint)
        cleanup.callback(model.close)
        return model
    given: dict[str, Any] = {"api_key": endpoint.api_key, "endpoint": endpoint.base_url}
    given = {name: value for name, value in given.items() if value}
    return LLM(model=endpoint.model, provider=endpoint.provider, stream=True, **given)
