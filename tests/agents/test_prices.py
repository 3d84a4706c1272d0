"""What a call cost: by the operator's own table, then by the one that comes along; else nobody knows."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.agents.prices import Prices
from service.config import Settings

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "cached_tokens": 400}


def prices(**changes: Any) -> Prices:
    return Prices(Settings(**{"model": "openai/gpt-4o", "openai_base_url": None, **changes}))


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A price is never looked up outside."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(
    ("model", "models"),
    [
        ("gpt-4o", ""),
        ("openai/gpt-4o", ""),
        ("gpt-4o-mini-2024-07-18", ""),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("gemini-2.5-flash", "gemini/gemini-2.5-flash"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0",
         "bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("azure/gpt-4o", ""),
    ],
)  # fmt: skip
def test_a_model_that_the_table_knows_has_a_price(model: str, models: str) -> None:
    cost = prices(models=models).cost(model, USAGE)
    assert cost is not None
    assert 0 < cost < 0.1


@pytest.mark.parametrize("model", ["scripted-1", "local", "openai/nobody-knows", "", None, "a/b/c"])
def test_a_model_that_nobody_knows_has_none_and_not_zero(model: str | None) -> None:
    assert prices().cost(model, USAGE) is None


def test_a_known_name_at_an_endpoint_of_ones_own_has_no_price() -> None:
    """Whoever serves it there asks for what they like."""
    assert prices(openai_base_url="http://127.0.0.1:1/v1").cost("gpt-4o", USAGE) is None
    assert prices(openai_base_url="https://api.openai.com/v1").cost("gpt-4o", USAGE) is not None
    settings = Settings(model="openai/gpt-4o", openai_base_url=None)
    assert Prices(settings, "http://127.0.0.1:1/v1").cost("gpt-4o", USAGE) is None  # a project's


def test_an_endpoint_that_the_table_knows_has_its_own_prices() -> None:
    groq = prices(openai_base_url="https://api.groq.com/openai/v1")
    assert groq.cost("llama-3.3-70b-versatile", USAGE) is not None


def test_cached_tokens_cost_less_and_are_not_counted_twice() -> None:
    some, none = (
        prices().cost("gpt-4o", USAGE),
        prices().cost("gpt-4o", USAGE | {"cached_tokens": 0}),
    )
    assert some is not None
    assert none is not None
    assert some < none
    assert prices().cost("gpt-4o", USAGE | {"cached_tokens": 5000}) is not None


@pytest.mark.parametrize("name", ["scripted-1", "openai/scripted-1"])
def test_the_operators_own_prices_go_first(tmp_path: Path, name: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({name: {"input": 10, "output": 100, "cached": 1}}))
    own = prices(prices=file, model="openai/scripted-1", openai_base_url="http://127.0.0.1:1/v1")
    assert own.cost("scripted-1", USAGE) == pytest.approx((600 * 10 + 400 * 1 + 100 * 100) / 1e6)


def test_a_model_of_ones_own_may_cost_nothing(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text('{"local": {"input": 0, "output": 0}}')
    assert prices(prices=file).cost("local", USAGE) == 0.0


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"m": 1}', '{"m": {"input": 1}}', '{"m": {"input": -1, "output": 1}}',
                '{"m": {"input": 1, "output": 1, "inputs": 1}}'],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_said_at_the_start(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "prices.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValidationError, match="prices"):
        prices(prices=file)
