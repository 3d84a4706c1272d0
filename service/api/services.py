"""What views reach the system through, kept with the app."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, request

from service.api.entrance import Entrance
from service.api.known import Known
from service.api.limits import Limits
from service.config import Settings
from service.db import Database
from service.dispatch.handover import HandOver
from service.feed.poll import Feed
from service.security.redaction import Redactor

NAME = "longline"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one web process."""

    settings: Settings
    db: Database
    feed: Feed
    dispatch: HandOver
    limits: Limits
    redactor: Redactor
    entrance: Entrance
    known: Known


def services() -> Services:
    """The parts of the process that serves this request."""
    found: Services = current_app.extensions[NAME]
    return found


def client_socket() -> Any:
    """The socket of the client that asks, which only gunicorn hands over: to see it leave."""
    return request.environ.get("gunicorn.socket")
