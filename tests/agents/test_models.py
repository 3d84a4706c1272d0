"""A model's name and where it leads."""

from pathlib import Path
from typing import Any

import pytest

from service.agents import models
from service.agents.context import MissionFailed
from service.config import Settings


def settings(**values: Any) -> Settings:
    return Settings(data=Path("nowhere"), **values)


def test_any_name_behind_openai_is_the_endpoints_own() -> None:
    offered = settings(
        model="openai/org/some model:7b", openai_base_url="http://x/v1", openai_api_key="k"
    )
    endpoint = models.resolve(None, offered)
    assert (endpoint.model, endpoint.base_url) == ("org/some model:7b", "http://x/v1")
    assert endpoint.api_key == "k"


def test_a_further_model_is_offered_by_the_operator_alone() -> None:
    offered = settings(model="openai/a", models="openai/b", openai_api_key="k")
    assert models.resolve("openai/b", offered).model == "b"
    with pytest.raises(MissionFailed) as failed:
        models.resolve("openai/c", offered)
    assert failed.value.code == "model_not_allowed"


def test_without_a_base_url_it_is_openais_own() -> None:
    offered = settings(model="openai/a", openai_api_key="k", openai_base_url=None)
    assert models.resolve(None, offered).base_url == "https://api.openai.com/v1"


def test_another_endpoint_needs_no_key() -> None:
    offered = settings(model="openai/a", openai_base_url="http://x/v1", openai_api_key=None)
    assert models.resolve(None, offered).api_key


@pytest.mark.parametrize(
    ("model", "code"),
    [("openai/a", "model_not_configured"), ("anthropic/a", "model_unknown")],
)
def test_a_model_that_cannot_be_reached_is_named(model: str, code: str) -> None:
    with pytest.raises(MissionFailed) as failed:
        models.resolve(None, settings(model=model, openai_base_url=None, openai_api_key=None))
    assert failed.value.code == code
    assert model.split("/")[1] in failed.value.message


def test_a_key_does_not_show_in_what_is_printed() -> None:
    offered = settings(model="openai/a", openai_api_key="very-secret")
    assert "very-secret" not in repr(models.resolve(None, offered))
