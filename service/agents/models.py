"""From a model's name in a mission to its endpoint. Calls no model and builds no framework's object."""

from collections.abc import Mapping
from importlib.util import find_spec

from pydantic import SecretStr

from service.agents import local_model, providers
from service.agents.context import MissionFailed
from service.agents.endpoint import Endpoint
from service.agents.providers import Provider
from service.config import LOCAL_MODEL, Settings

OPENAI = "openai"  # any OpenAI-compatible endpoint; what follows is the endpoint's own name
OPENAI_BASE_URL = "https://api.openai.com/v1"
NO_KEY = "unused"  # the client insists on one; servers on one's own machine want none


def resolve(name: str | None, settings: Settings) -> Endpoint:
    """The endpoint of a model, started first when it is the embedded one.

    name: `local` or `PROVIDER/NAME`; None is the operator's default. Raises MissionFailed with
    `model_not_allowed`, `model_unknown`, `model_not_installed`, `model_not_configured` or
    `local_model_unavailable`.
    """
    wanted = name or settings.model
    if wanted not in settings.allowed_models:
        raise MissionFailed("model_not_allowed", f"This server does not offer the model {wanted}.")
    if wanted == LOCAL_MODEL:
        return local_model.ensure(settings)
    prefix, _, model = wanted.partition("/")
    if model and prefix == OPENAI:
        return _compatible(model, settings)
    if model and prefix in providers.ALL:
        return _native(prefix, model, providers.ALL[prefix], settings)
    known = ", ".join(f"`{prefix}/NAME`" for prefix in (OPENAI, *providers.ALL))
    raise MissionFailed("model_unknown", f"{wanted} is no model: there are `local`, {known}.")


def embedding(settings: Settings) -> Endpoint:
    """The endpoint of the model that embeds files. Raises MissionFailed as `resolve`."""
    prefix, _, model = (settings.embedding_model or "").partition("/")
    if prefix != OPENAI or not model:
        message = "Knowledge needs an embedding model: LONGLINE_EMBEDDING_MODEL=openai/NAME."
        raise MissionFailed("model_not_configured", message)
    return _compatible(model, settings)


def _compatible(model: str, settings: Settings) -> Endpoint:
    key = _value(settings.openai_api_key)
    if not (key or settings.openai_base_url):
        raise MissionFailed(
            "model_not_configured",
            f"The model {model} needs OPENAI_API_KEY, or OPENAI_BASE_URL for another endpoint.",
        )
    return Endpoint(
        model=model,
        base_url=settings.openai_base_url or OPENAI_BASE_URL,
        api_key=key or NO_KEY,
    )


def _native(prefix: str, model: str, provider: Provider, settings: Settings) -> Endpoint:
    if not _installed(provider.module):
        raise MissionFailed(
            "model_not_installed",
            f"The model {model} needs the extra `{prefix}`: pip install 'longline[{prefix}]'.",
        )
    key = _value(provider.key(settings))
    missing = [] if key or provider.keyless else [provider.key_name]
    if provider.needs_endpoint and not settings.azure_endpoint:
        missing.append("AZURE_ENDPOINT")
    if missing or not provider.has_credentials():
        needed = " and ".join(missing) or provider.key_name
        raise MissionFailed("model_not_configured", f"The model {model} needs {needed}.")
    base_url = (settings.azure_endpoint or "") if provider.needs_endpoint else ""
    return Endpoint(model=model, base_url=base_url, api_key=key, provider=prefix)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False


def _value(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def secrets_of(endpoints: Mapping[str | None, Endpoint]) -> tuple[str, ...]:
    """Keys to be blotted out of what endpoints say."""
    return tuple(endpoint.api_key for endpoint in endpoints.values() if endpoint.api_key)
