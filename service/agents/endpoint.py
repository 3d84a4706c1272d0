"""Where a model is reached, and in whose language it is spoken to. Values only."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a client of a model needs.

    model: the name that the endpoint knows it by. base_url: empty where the provider's client knows
    it. provider: openai, for every endpoint of its kind, or anthropic, gemini, bedrock, azure.
    max_tokens, temperature: None leaves them to the endpoint.
    context_tokens: how long a request may be, None when it is not known.
    held: what keeps the endpoint alive; keep the Endpoint for as long as it is used.
    """

    model: str
    base_url: str
    api_key: str = field(repr=False)
    provider: str = "openai"
    max_tokens: int | None = None
    temperature: float | None = None
    context_tokens: int | None = None
    held: object = field(default=None, repr=False, compare=False)
