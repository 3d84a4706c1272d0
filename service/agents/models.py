"""From a model's name in a mission to its endpoint. Calls no model and builds no framework's object."""

from service.agents import local_model
from service.agents.context import MissionFailed
from service.agents.endpoint import Endpoint
from service.config import LOCAL_MODEL, Settings

OPENAI_PREFIX = "openai/"  # any OpenAI-compatible endpoint; what follows is the endpoint's own name
OPENAI_BASE_URL = "https://api.openai.com/v1"
NO_KEY = "unused"  # the client insists on one; servers on one's own machine want none


def resolve(name: str | None, settings: Settings) -> Endpoint:
    """The endpoint of a model, started first when it is the embedded one.

    name: `local` or `openai/NAME`; None is the operator's default. Raises MissionFailed with
    `model_not_allowed`, `model_unknown`, `model_not_configured` or `local_model_unavailable`.
    """
    wanted = name or settings.model
    if wanted not in settings.allowed_models:
        raise MissionFailed("model_not_allowed", f"This server does not offer the model {wanted}.")
    if wanted == LOCAL_MODEL:
        return local_model.ensure(settings)
    if not wanted.startswith(OPENAI_PREFIX):
        raise MissionFailed(
            "model_unknown", f"{wanted} is no model: there are `local` and `openai/NAME`."
        )
    return _remote(wanted.removeprefix(OPENAI_PREFIX), settings)


def _remote(model: str, settings: Settings) -> Endpoint:
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
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
