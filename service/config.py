"""Settings, from the environment. The only module that touches `os.environ`."""

import os
import re
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service import tariff
from service.forms import LISTED, entries
from service.tariff import Price

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

PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s:@]+@")  # of a URL, whatever its variable is called

OTLP = AliasChoices("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
GEMINI = AliasChoices("GEMINI_API_KEY", "GOOGLE_API_KEY")
AZURE_KEY = AliasChoices("AZURE_API_KEY", "AZURE_OPENAI_API_KEY")
AZURE_PLACE = AliasChoices("AZURE_ENDPOINT", "AZURE_OPENAI_ENDPOINT")


class Settings(BaseSettings):
    """What the operator decides. Field `x` is read from LONGLINE_X, or from the name given as alias."""

    model_config = SettingsConfigDict(
        env_prefix="LONGLINE_", extra="ignore", frozen=True, populate_by_name=True
    )

    data: Path = Path("var")  # where the embedded database and scratch folders live
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    direct_url: str | None = None  # the database itself, where DATABASE_URL leads to a pooler
    # FULL survives a power cut; NORMAL only the death of processes, for faster commits.
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"

    host: str | None = None  # loopback, or every address where a hosting platform sets PORT
    port: int = Field(
        default=8000, ge=1, le=65535, validation_alias=AliasChoices("LONGLINE_PORT", "PORT")
    )
    web_processes: int = Field(default=1, ge=1, validation_alias="WEB_CONCURRENCY")
    max_held: int = Field(default=10_000, ge=1)  # polls one web process holds
    db_pool: int = Field(default=5, ge=2)  # connections of one web process; one of them listens
    # How workers are told of missions: by looking, or by a queue on PostgreSQL.
    dispatch: Literal["auto", "local", "procrastinate"] = "auto"
    concurrency: int = Field(default=4, ge=1)  # missions one worker runs at once
    standby: int = Field(default=1, ge=0)  # processes of a worker that wait for a mission
    max_running_overall: int | None = Field(default=None, ge=1)  # missions held by all workers
    # After SIGTERM, how long a run may take to the end of its task before it is handed over.
    drain_s: float = Field(default=20.0, ge=0)
    lease_s: float = Field(default=30.0, gt=0)
    renew_s: float = Field(default=5.0, gt=0)

    model: str = LOCAL_MODEL
    models: str = ""  # further names that a mission may ask for, comma-separated
    embedding_model: str | None = None  # openai/NAME; what turns files into knowledge
    tools: str = ""  # further tools that a mission may name, comma-separated
    projects: str = ""  # NAME=TARGET of code that missions may run, comma-separated
    child_env: str = ""  # further variables that a run sees, comma-separated; * stands for any end
    file_max_bytes: int = Field(default=8 * 1024**2, ge=1)  # of one file that a mission is given
    upload_max_bytes: int = Field(default=24 * 1024**2, ge=1)  # of a mission with its files

    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    anthropic_api_key: SecretStr | None = Field(default=None, validation_alias="ANTHROPIC_API_KEY")
    gemini_api_key: SecretStr | None = Field(default=None, validation_alias=GEMINI)
    azure_api_key: SecretStr | None = Field(default=None, validation_alias=AZURE_KEY)
    azure_endpoint: str | None = Field(default=None, validation_alias=AZURE_PLACE)
    prices: Path | None = None  # a JSON file: model → {"input", "output", "cached"}
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"  # of a run's own logging

    auth: Literal["auto", "required"] = "auto"
    # A token that the operator chose, for platforms where no command runs before the first start.
    admin_token: SecretStr | None = Field(default=None, min_length=32)
    # names in the Host header, comma-separated; on loopback in addition to its own
    allowed_hosts: str = ""
    forwarded: int | None = Field(default=None, ge=0, le=10)  # proxies in front; platforms have 1
    cors_origins: str = ""  # other sites whose pages may call the API, with a token of their own

    # of one token, polls of the feed not counted
    requests_per_s: float = Field(default=200.0, gt=0)
    max_held_per_token: int = Field(default=2000, ge=1)  # polls one web process holds for one token
    max_queued: int = Field(default=1000, ge=1)  # missions of one workspace that wait for a worker
    # missions of one workspace that workers hold at once
    max_running: int = Field(default=100, ge=1)

    # Waited before the second, third … try of a webhook's delivery; behind the last it has failed.
    webhook_pauses: str = "5,300,1800,7200,18000,36000,50400,72000,86400"
    webhook_hosts: str = ""  # `host:port` that webhooks may reach though they are private or plain
    # Where missions go to as traces. The exporter reads it, and its relatives, itself.
    otlp_endpoint: str | None = Field(default=None, validation_alias=OTLP)
    otel_service_name: str = Field(default="longline", validation_alias="OTEL_SERVICE_NAME")
    url: str | None = None  # the server the command line talks to
    token: SecretStr | None = None

    @field_validator("prices")
    @classmethod
    def _readable(cls, file: Path | None) -> Path | None:
        if file is not None:
            tariff.read(file)
        return file

    @field_validator("dispatch")
    @classmethod
    def _possible(cls, dispatch: str, given: ValidationInfo) -> str:
        url = given.data.get("database_url") or "sqlite"
        if dispatch == "procrastinate" and url.startswith("sqlite"):
            raise ValueError(
                "procrastinate needs PostgreSQL; name one in DATABASE_URL, or leave LONGLINE_DISPATCH out"
            )
        return dispatch

    @field_validator("data")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.expanduser().absolute()

    @field_validator(*LISTED)
    @classmethod
    def _well_formed(cls, text: str, info: ValidationInfo) -> str:
        form, what = LISTED[str(info.field_name)]
        for entry in entries(text):
            if not form.fullmatch(entry):
                raise ValueError(f"{entry!r} is not {what}")
        return text

    @cached_property
    def host_names(self) -> frozenset[str]:
        """Names that the operator has given the server. Empty: any beyond loopback, its own on it."""
        return frozenset(entries(self.allowed_hosts.lower()))

    @cached_property
    def origins(self) -> frozenset[str]:
        """Other sites whose pages may read what the API answers."""
        return frozenset(entries(self.cors_origins))

    @cached_property
    def says_where_data_lives(self) -> bool:
        """Whether the operator named a database or a folder, rather than taking what there is."""
        return self.database_url is not None or "data" in self.model_fields_set

    @cached_property
    def named_projects(self) -> dict[str, str]:
        """Targets by the names that missions use for them."""
        pairs = (entry.partition("=") for entry in entries(self.projects))
        return {name.strip(): target.strip() for name, _, target in pairs}

    @cached_property
    def bind_host(self) -> str:
        return self.host or ("127.0.0.1" if platform_variable() is None else "0.0.0.0")  # noqa: S104

    @cached_property
    def trusted_proxies(self) -> int:
        """How many entries of the forwarded headers are true: anybody can send more."""
        on_platform = platform_variable() is not None
        return int(on_platform) if self.forwarded is None else self.forwarded

    @cached_property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return self.bind_host in ("localhost", "::1") or self.bind_host.startswith("127.")

    @cached_property
    def may_be_open(self) -> bool:
        """Whether anybody without a token may come in: from this machine, and not on a platform."""
        return self.auth != "required" and self.on_loopback and platform_variable() is None

    @cached_property
    def allowed_models(self) -> tuple[str, ...]:
        """Names a mission may ask for, the default first."""
        return tuple(dict.fromkeys([self.model, *entries(self.models)]))

    @cached_property
    def price_table(self) -> Mapping[str, Price]:
        """The operator's own prices, by a model's name."""
        return tariff.read(self.prices) if self.prices else {}

    @cached_property
    def webhook_pauses_s(self) -> tuple[float, ...]:
        return tuple(float(pause) for pause in self.webhook_pauses.split(",") if pause)

    @cached_property
    def private_webhook_hosts(self) -> frozenset[str]:
        """`host:port` of receivers in a network of the operator's own."""
        return frozenset(entries(self.webhook_hosts))

    @cached_property
    def child_names(self) -> tuple[str, ...]:
        """Variables of the worker's environment that a run sees beside those that each one needs."""
        return tuple(entries(self.child_env))

    @cached_property
    def further_tools(self) -> frozenset[str]:
        """Names of tools beyond those that every server has."""
        return frozenset(entries(self.tools))

    @cached_property
    def resolved_database_url(self) -> str:
        """DATABASE_URL, or the embedded SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data / 'longline.db'}"

    @cached_property
    def direct_database_url(self) -> str:
        """The database without a pooler in between."""
        return self.direct_url or self.resolved_database_url


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


def share_metrics(settings: Settings) -> str:
    """A fresh folder that the web processes of one gunicorn count in. Before prometheus is imported."""
    folder = settings.data / "metrics" / str(os.getpid())
    for earlier in folder.parent.glob("*"):
        if earlier == folder or not _is_alive(earlier.name):  # another may serve the same database
            shutil.rmtree(earlier, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    return str(folder)


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (OSError, ValueError) as error:
        return isinstance(error, PermissionError)  # somebody else's
    return True


def metrics_folder() -> str | None:
    """Where the web processes count together; None where one counts alone."""
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR")


def prepare_agent_environment(settings: Settings) -> None:
    """Set what agent frameworks read at import. Before anything imports crewai."""
    storage = settings.data / "crewai"
    storage.mkdir(parents=True, exist_ok=True)
    os.environ.update(AGENT_ENVIRONMENT, CREWAI_STORAGE_DIR=str(storage))
    if not os.access(os.environ.get("HOME", ""), os.W_OK):  # as of a system's user
        os.environ["HOME"] = str(storage)  # crewai writes there when it is imported, or is not


def project_environment(folder: Path | None) -> dict[str, str]:
    """What a project's own .env sets; nothing when it has none."""
    values = {} if folder is None else dotenv_values(folder / ".env")
    return {name: value for name, value in values.items() if value is not None}


def become(values: Mapping[str, str]) -> None:
    """Make this all of this process's environment, and of those that it starts."""
    for name in set(os.environ) - set(values):
        del os.environ[name]
    os.environ.update(values)


def secret_values(further: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Values of the environment, and of a further one, that a user would call secret, longest first.

    Eight characters at least: a shorter value would blot out ordinary words.
    """
    found = {
        value
        for name, value in (*os.environ.items(), *(further or {}).items())
        if (any(part in name.upper() for part in SECRET_NAMES) or PASSWORD.search(value))
        and len(value) >= 8
    }
    return tuple(sorted(found, key=len, reverse=True))
