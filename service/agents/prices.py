"""What a call of a model cost. From genai-prices' table, which comes with it: nothing is looked up outside.

A model that neither the operator's own table nor that one knows has no price: null, never 0.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from genai_prices import Usage, calc_price

from service.config import Settings
from service.tariff import Price

# Our prefixes of a model's name, and what the table calls who serves it.
PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "bedrock": "aws",
    "azure": "azure",
}
PER = 1_000_000  # tokens, of a price


class Prices:
    """The prices of one attempt's models."""

    def __init__(self, settings: Settings, base_url: str | None = None) -> None:
        """base_url: where OpenAI's clients of this run call, if not where the operator says."""
        self._own: Mapping[str, Price] = settings.price_table
        self._base_url = base_url or settings.openai_base_url
        parted = (name.partition("/") for name in settings.allowed_models)
        self._prefixes = {name: prefix for prefix, _, name in parted if name}

    def cost(self, model: str | None, usage: Mapping[str, Any]) -> float | None:
        """Dollars for a USAGE event's numbers, None when the price is unknown.

        model: as the endpoint knows it, or with the prefix that it has in a mission.
        """
        if not model:
            return None
        prefix, name = self._parted(model)
        own = self._own.get(f"{prefix}/{name}") or self._own.get(name) or self._own.get(model)
        read, written = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
        cached = min(usage.get("cached_tokens") or 0, read)
        if own:
            money = (
                (read - cached) * own.input + cached * own.cached_or_input + written * own.output
            )
            return money / PER
        counted = Usage(input_tokens=read, output_tokens=written, cache_read_tokens=cached)
        return self._listed_cost(prefix, name, counted)

    def _parted(self, model: str) -> tuple[str | None, str]:
        prefix, slash, name = model.partition("/")
        if slash and prefix in PROVIDERS:
            return prefix, name
        return self._prefixes.get(model), model

    def _listed_cost(self, prefix: str | None, name: str, usage: Usage) -> float | None:
        elsewhere = self._base_url if prefix in ("openai", None) else None
        try:
            if elsewhere and _host(elsewhere) != "api.openai.com":
                found = calc_price(usage, name, provider_api_url=elsewhere)
            else:
                found = calc_price(usage, name, provider_id=PROVIDERS[prefix] if prefix else None)
        except (LookupError, ValueError):  # unknown; or numbers that no call can have
            return None
        return float(found.total_price)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
