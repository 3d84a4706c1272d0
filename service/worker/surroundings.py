"""What a run sees of the worker's environment: names on a list, and nothing else.

A list of what is allowed, for what is secret cannot be listed. A mission by spec is handed its model's
key beside the environment, so it finds none there; a project reads them where its framework looks.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from pathlib import Path

from service import config
from service.config import AGENT_ENVIRONMENT, Settings
from service.missions.attempts import Claim
from service.missions.project_spec import ProjectSpec

# Where programs, homes, certificates and proxies are, and how to speak to people.
ALWAYS = (
    *(
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "TMPDIR",
        "TMP",
        "TEMP",
        "XDG_*",
        "LD_LIBRARY_PATH",
    ),
    *("LANG", "LANGUAGE", "LC_*", "TZ", "PYTHON*", "VIRTUAL_ENV"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *(*AGENT_ENVIRONMENT, "CREWAI_STORAGE_DIR", "TIKTOKEN_CACHE_DIR", "HF_HOME"),
)
# boto3 has no other way to be told.
BEDROCK = ("AWS_*",)
MODELS = (
    *("OPENAI_*", "ANTHROPIC_*", "GEMINI_API_KEY", "GOOGLE_*", "AZURE_*", "MODEL"),
    *BEDROCK,
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """environment: all of it. secrets: what must not be seen in what the run says, longest first."""

    environment: dict[str, str]
    secrets: tuple[str, ...]


def of_claim(claim: Claim, settings: Settings) -> Surroundings | None:
    """For one attempt; None where it needs what any mission by spec does."""
    if claim.project is None or not isinstance(claim.spec, ProjectSpec):
        return None
    storage = settings.data / "crewai" / "projects" / claim.spec.project
    return of_project(settings, claim.project.folder, storage)


def of_nobody() -> dict[str, str]:
    """For the process that children are forked from: it is in each one's memory."""
    return _allowed(ALWAYS)


def of_spec(settings: Settings) -> Surroundings:
    """For any mission by spec."""
    bedrock = any(name.startswith("bedrock/") for name in settings.allowed_models)
    names = (*ALWAYS, *settings.child_names, *(BEDROCK if bedrock else ()))
    return Surroundings(_allowed(names), config.secret_values())


def of_project(settings: Settings, folder: Path | None, storage: Path) -> Surroundings:
    """For an operator's project: its own .env wins over what is everybody's.

    storage: where crewai keeps the project's memory.
    """
    own = config.project_environment(folder)
    storage.mkdir(parents=True, exist_ok=True)
    environment = _allowed((*ALWAYS, *MODELS, *settings.child_names)) | own
    # What keeps agent frameworks quiet stays.
    environment |= {**AGENT_ENVIRONMENT, "CREWAI_STORAGE_DIR": str(storage)}
    return Surroundings(environment, config.secret_values(own))


def _allowed(names: Iterable[str]) -> dict[str, str]:
    on_list = _pattern(tuple(names))
    return {name: value for name, value in config.environment().items() if on_list.match(name)}


@lru_cache(maxsize=64)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the names. All missions of a worker have the same ones, and each would wait for it."""
    return re.compile("|".join(map(translate, names)))
