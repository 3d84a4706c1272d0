"""A look at a project: what it is and what it takes, without running it."""

import json
import logging
from pathlib import Path
from typing import Any

from service.agents import terminal
from service.agents.projects import inputs
from service.agents.projects.loading import NotAProject, load
from service.agents.values import shortened
from service.missions.projects import Found
from service.missions.target import Target

REASON_MAX = 300

_log = logging.getLogger(__name__)


def describe(target: Target, folder: Path | None) -> Found:
    """What is found there; a fault of the project is in `error`, never raised."""
    try:
        with terminal.silent():
            loaded = load(target, folder)
            schema = inputs.schema(loaded)
    except NotAProject as fault:
        return Found(error=str(fault))
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - whatever its code does
        _log.warning("A project cannot be loaded", exc_info=True)
        return Found(error=shortened(f"{type(fault).__name__}: {fault}", REASON_MAX))
    return Found(
        loaded.kind,
        loaded.engine,
        _about(loaded.thing),
        json.loads(json.dumps(schema, default=str)),
    )


def _about(thing: Any) -> str | None:
    """The first line of what its class says of itself; nothing where that is the framework's."""
    if type(thing).__module__.startswith(("crewai", "langgraph", "langchain")):
        return None
    lines = (type(thing).__doc__ or "").strip().splitlines()
    return shortened(lines[0], REASON_MAX) if lines else None
