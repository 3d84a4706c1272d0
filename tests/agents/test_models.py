"""A model's name and where it leads."""

from pathlib import Path
from typing import Any

import pytest

from service.agents import models
from service.agents.context import MissionFailed
from service.config import Settings


def settings(**values: Any) -> Settings:
    return Settings(data=Path("nowhere"), **values)


def refusal(model: str, **values: Any) -> MissionFailed:
    """What a mission on a model fails with, where the operator offers it."""
    nothing = dict.fromkeys(KEYS) | values
    with pytest.raises(MissionFailed) as failed:
        models.resolve(None, settings(model=model, **nothing))
    return failed.value


KEYS = (
    "openai_base_url", "openai_api_key", "anthropic_api_key", "gemini_api_key", "azure_api_key",
    "azure_endpoint",
)  # fmt: skip


def test_any_name_behind_openai_is_the_endpoints_own() -> None:
    offered = settings(
        model="openai/org/some model:7b", openai_base_url="http://x/v1", openai_api_key="k"
    )
    endpoint = models.resolve(None, offered)
    assert (endpoint.model, endpoint.base_url) == ("org/some model:7b", "http://x/v1")
    assert (endpoint.api_key, endpoint.provider) == ("k", "openai")


def test_a_further_model_is_offered_by_the_operator_alone() -> None:
    offered = settings(model="openai/a", models="openai/b", openai_api_key="k")
    assert models.resolve("openai/b", offered).model == "b"
    for name in ("openai/c", "http://10.0.0.1/v1", "anthropic/claude", "openai/http://x/v1"):
        with pytest.raises(MissionFailed) as failed:
            models.resolve(name, offered)
        assert failed.value.code == "model_not_allowed"


def test_without_a_base_url_it_is_openais_own() -> None:
    offered = settings(model="openai/a", openai_api_key="k", openai_base_url=None)
    assert models.resolve(None, offered).base_url == "https://api.openai.com/v1"


def test_another_endpoint_needs_no_key() -> None:
    offered = settings(model="openai/a", openai_base_url="http://x/v1", openai_api_key=None)
    assert models.resolve(None, offered).api_key


@pytest.mark.parametrize("model", ["mistral/a", "a", "anthropic", "openai/", "gemini/", "/x"])
def test_a_name_that_is_no_model_is_told_what_there_is(model: str) -> None:
    failure = refusal(model)
    assert failure.code == "model_unknown"
    assert "`openai/NAME`" in failure.message


def test_openai_without_a_key_and_without_an_endpoint_is_named() -> None:
    failure = refusal("openai/a")
    assert failure.code == "model_not_configured"
    assert "OPENAI_API_KEY" in failure.message


@pytest.mark.parametrize("provider", ["anthropic", "gemini", "bedrock", "azure"])
def test_a_missing_extra_is_named_with_how_to_get_it(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    failure = refusal(f"{provider}/some-model")
    assert failure.code == "model_not_installed"
    assert f"longline[{provider}]" in failure.message
    assert "some-model" in failure.message


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with all extras."""
    monkeypatch.setattr(models, "find_spec", lambda name: True)
    monkeypatch.setattr("service.agents.providers.import_module", lambda name: _Boto3)


class _Boto3:
    """What of boto3 is asked: without credentials."""

    class Session:
        def get_credentials(self) -> None:
            return None


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("provider", "missing"),
    [
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("gemini", "GEMINI_API_KEY"),
        ("bedrock", "AWS_ACCESS_KEY_ID"),
        ("azure", "AZURE_API_KEY and AZURE_ENDPOINT"),
    ],
)
def test_a_missing_key_is_named(provider: str, missing: str) -> None:
    failure = refusal(f"{provider}/some-model")
    assert failure.code == "model_not_configured"
    assert missing in failure.message


@pytest.mark.usefixtures("installed")
def test_a_provider_that_has_what_it_needs_is_spoken_to_in_its_own_language() -> None:
    offered = settings(
        model="anthropic/claude-x",
        models="gemini/g, azure/deployment",
        anthropic_api_key="a",
        gemini_api_key="g",
        azure_api_key="z",
        azure_endpoint="https://mine.example/openai",
    )
    found = [models.resolve(name, offered) for name in offered.allowed_models]
    assert [(it.provider, it.model, it.base_url, it.api_key) for it in found] == [
        ("anthropic", "claude-x", "", "a"),
        ("gemini", "g", "", "g"),
        ("azure", "deployment", "https://mine.example/openai", "z"),
    ]


def test_a_key_does_not_show_in_what_is_printed() -> None:
    offered = settings(model="openai/a", openai_api_key="very-secret")
    assert "very-secret" not in repr(models.resolve(None, offered))
