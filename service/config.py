"""Settings, from the environment. The only module that touches `os.environ`."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOCAL_MODEL = "local"  # the embedded one: no key, no network

# Read by crewai and its dependencies when they are imported. Without these, import installs signal
# handlers, a prompt blocks 20 s on a terminal, and exit waits 21 s for a network that is not there.
AGENT_ENVIRONMENT = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
}

SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "DSN", "DATABASE_URL")


class Settings(BaseSettings):
    """What the operator decides. Field `x` is read from LONGLINE_X, or from the name given as alias."""

    model_config = SettingsConfigDict(
        env_prefix="LONGLINE_", extra="ignore", frozen=True, populate_by_name=True
    )

    data: Path = Path("var")  # where the embedded database and scratch folders live
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    # FULL survives a power cut; NORMAL only the death of processes, for faster commits.
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"

    host: str | None = None  # loopback, or every address where a hosting platform sets PORT
    port: int = Field(
        default=8000, ge=1, le=65535, validation_alias=AliasChoices("LONGLINE_PORT", "PORT")
    )
    web_processes: int = Field(default=1, ge=1, validation_alias="WEB_CONCURRENCY")
    max_held: int = Field(default=10_000, ge=1)  # polls one web process holds

    db_pool: int = Field(default=5, ge=1)  # connections of one web process

    concurrency: int = Field(default=4, ge=1)  # missions one worker runs at once
    lease_s: float = Field(default=30.0, gt=0)
    renew_s: float = Field(default=5.0, gt=0)

    model: str = LOCAL_MODEL
    models: str = ""  # further names that a mission may ask for, comma-separated
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"  # of a run's own logging

    auth: Literal["auto", "required"] = "auto"

    url: str | None = None  # the server the command line talks to
    token: SecretStr | None = None

    @field_validator("data")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.expanduser().absolute()

    @cached_property
    def bind_host(self) -> str:
        return self.host or ("127.0.0.1" if platform_variable() is None else "0.0.0.0")  # noqa: S104

    @cached_property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return self.bind_host in ("localhost", "::1") or self.bind_host.startswith("127.")

    @cached_property
    def allowed_models(self) -> tuple[str, ...]:
        """Names a mission may ask for, the default first."""
        further = (name.strip() for name in self.models.split(","))
        return tuple(dict.fromkeys([self.model, *filter(None, further)]))

    @cached_property
    def resolved_database_url(self) -> str:
        """DATABASE_URL, or the embedded SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data / 'longline.db'}"


def load() -> Settings:
    """The settings of this process. Raises ValidationError naming the variable that is wrong."""
    return Settings()


def platform_variable() -> str | None:
    """The variable that shows that a hosting platform started us, None on an ordinary machine."""
    return next((name for name in ("PORT", "DYNO", "RENDER") if os.environ.get(name)), None)


def environment(**overrides: str | None) -> dict[str, str]:
    """This process's environment for one that it starts; None takes a variable out."""
    merged: dict[str, str | None] = {**os.environ, **overrides}
    return {name: value for name, value in merged.items() if value is not None}


def prepare_agent_environment(settings: Settings) -> None:
    """Set what agent frameworks read at import. Before anything imports crewai."""
    os.environ.update(AGENT_ENVIRONMENT)
    storage = settings.data / "crewai"
    storage.mkdir(parents=True, exist_ok=True)
    os.environ["CREWAI_STORAGE_DIR"] = str(storage)


def secret_values() -> tuple[str, ...]:
    """Values of the environment that a user would call secret, longest first.

    Eight characters at least: a shorter value would blot out ordinary words.
    """
    found = {
        value
        for name, value in os.environ.items()
        if any(part in name.upper() for part in SECRET_NAMES) and len(value) >= 8
    }
    return tuple(sorted(found, key=len, reverse=True))
