"""Providers with an interface of their own: what each needs before a framework can speak to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from pydantic import SecretStr

from service.config import Settings


@dataclass(frozen=True, slots=True)
class Provider:
    """module: what its extra installs. key_name: where its key is looked for, for people.

    keyless: it has credentials of other kinds, which `has_credentials` looks for.
    """

    module: str
    key_name: str
    key: Callable[[Settings], SecretStr | None]
    keyless: bool = False
    needs_endpoint: bool = False
    has_credentials: Callable[[], bool] = lambda: True


def _aws_credentials() -> bool:
    """Whether boto3 finds any, in its own order: environment, profile, role."""
    return import_module("boto3").Session().get_credentials() is not None


ALL: Mapping[str, Provider] = {
    "anthropic": Provider("anthropic", "ANTHROPIC_API_KEY", lambda it: it.anthropic_api_key),
    "gemini": Provider("google.genai", "GEMINI_API_KEY", lambda it: it.gemini_api_key),
    "bedrock": Provider(
        "boto3",
        "AWS credentials, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        lambda _it: None,
        keyless=True,
        has_credentials=_aws_credentials,
    ),
    "azure": Provider(
        "azure.ai.inference", "AZURE_API_KEY", lambda it: it.azure_api_key, needs_endpoint=True
    ),
}
