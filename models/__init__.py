"""The tables and nothing else: columns, keys, indexes. Imports only sqlalchemy.

Times are integers, milliseconds since the epoch (`…_ms`): the same in every database, and
comparable without a time zone. JSON is kept as text: what was stored is what is sent.
"""

from models.audit import audit
from models.base import metadata
from models.event import events
from models.file import files
from models.mission import missions
from models.project import projects
from models.request import requests
from models.task_output import task_outputs
from models.token import tokens
from models.webhook import deliveries, webhooks
from models.worker import workers
from models.workspace import workspaces

__all__ = [
    "audit",
    "deliveries",
    "events",
    "files",
    "metadata",
    "missions",
    "projects",
    "requests",
    "task_outputs",
    "tokens",
    "webhooks",
    "workers",
    "workspaces",
]
