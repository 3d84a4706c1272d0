"""The server that a command speaks to: LONGLINE_URL and LONGLINE_TOKEN, or --url."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import click

from service.cli import outcome
from service.cli.settings import settings
from service.client import Client

LOCAL_URL = "http://127.0.0.1:8000"
PATIENCE_S = 3.0  # somebody sits in front of it


def speaks_to_server(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a command a Client as its first argument, and turn what can go wrong into exit codes."""

    @click.option("--url", help=f"The server. Also LONGLINE_URL; {LOCAL_URL} without.")
    def wrapped(*, url: str | None, **given: Any) -> Any:
        with outcome.told(), connect(url) as client:
            return command(client, **given)

    return update_wrapper(wrapped, command)


def connect(url: str | None = None) -> Client:
    found = settings()
    token = found.token.get_secret_value() if found.token else None
    return Client(url or found.url or LOCAL_URL, token, patience_s=PATIENCE_S)


def as_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --json, as the argument `json`."""
    return click.option("--json", is_flag=True, help="JSON instead of text, for scripts.")(command)
