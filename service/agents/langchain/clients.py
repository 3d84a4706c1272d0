"""langchain's client of an endpoint, in the language that it speaks. Always streams, and counts."""

from collections.abc import Mapping
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel

from service.agents.context import MissionFailed
from service.agents.endpoint import Endpoint

# Our providers, and what langchain calls them.
NAMES: Mapping[str, str] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google_genai",
    "bedrock": "bedrock_converse",
    "azure": "azure_openai",
}
TIMEOUT_S = 300.0  # between two chunks a reasoning model says nothing for minutes
RETRIES = 2
AZURE_VERSION = "2024-06-01"  # as crewai's client


def of(endpoint: Endpoint) -> BaseChatModel:
    """A client of the endpoint. Raises MissionFailed `model_not_installed`."""
    options = {"temperature": endpoint.temperature, "max_tokens": endpoint.max_tokens}
    given: dict[str, Any] = {name: it for name, it in options.items() if it is not None}
    try:
        model: BaseChatModel = init_chat_model(
            endpoint.model,
            model_provider=NAMES[endpoint.provider],
            **given,
            **_own(endpoint),
        )
    except ImportError as error:
        extra = f"pip install 'longline[{endpoint.provider}]'"
        message = f"The model {endpoint.model} needs the extra `{endpoint.provider}`: {extra}."
        raise MissionFailed("model_not_installed", message) from error
    return model


def _own(endpoint: Endpoint) -> dict[str, Any]:
    """What each provider's client calls its key, its address, and the wish to stream and count."""
    patience: dict[str, Any] = {"timeout": TIMEOUT_S, "max_retries": RETRIES}
    counted: dict[str, Any] = {**patience, "streaming": True, "stream_usage": True}
    key = {"api_key": endpoint.api_key}
    match endpoint.provider:
        case "openai":
            return counted | key | {"base_url": endpoint.base_url}
        case "azure":
            return (
                counted | key | {"azure_endpoint": endpoint.base_url, "api_version": AZURE_VERSION}
            )
        case "anthropic":
            return counted | key
        case "gemini":
            return patience | {"google_api_key": endpoint.api_key}
    return {}
