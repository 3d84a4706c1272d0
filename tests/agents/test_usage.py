"""What a call used, in whatever words its provider says it."""

from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = [pytest.mark.agents, pytest.mark.usefixtures("prepared")]

SAID = {
    "openai": {"prompt_tokens": 10, "completion_tokens": 3, "cached_prompt_tokens": 4,
               "reasoning_tokens": 2, "total_tokens": 13},
    "anthropic": {"input_tokens": 10, "output_tokens": 3, "cached_prompt_tokens": 4,
                  "cache_creation_tokens": 1, "total_tokens": 13},
    "gemini": {"prompt_token_count": 10, "candidates_token_count": 1, "completion_tokens": 3,
               "cached_prompt_tokens": 4, "reasoning_tokens": 2, "total_tokens": 13},
    "bedrock": {"inputTokens": 6, "outputTokens": 3, "cacheReadInputTokens": 4, "totalTokens": 9},
}  # fmt: skip


@pytest.mark.parametrize("provider", SAID)
def test_every_providers_numbers_are_counted(provider: str) -> None:
    from service.agents.crewai import reading

    used: Any = reading.usage(SimpleNamespace(model="m", usage=SAID[provider]))
    assert (used["prompt_tokens"], used["completion_tokens"], used["cached_tokens"]) == (10, 3, 4)


@pytest.mark.parametrize("said", [None, {}, {"total_tokens": 0}, {"prompt_tokens": None}])
def test_what_is_not_reported_is_zero(said: Any) -> None:
    from service.agents.crewai import reading

    used = reading.usage(SimpleNamespace(model="m", usage=said))
    assert used["prompt_tokens"] == used["completion_tokens"] == 0
    assert used["cost_usd"] is None
