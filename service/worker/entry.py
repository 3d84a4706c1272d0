"""Where a fork begins. Imports nothing by itself: the supervisor, which names it, has no frameworks."""

import os
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from service import config
from service.config import Settings
from service.missions.target import parse

if TYPE_CHECKING:
    from service.worker.standby import Ends  # which imports this one


def prove() -> None:
    """Show that a fork works: the parent has imported all that it is to be warm with."""


def describe(text: str, environment: dict[str, str], answer: Connection) -> None:
    """Look at a registered project and send what is found; its code runs in this fork only."""
    from service.agents.projects import describing

    target = parse(text)
    os.setsid()
    config.become(environment)
    if target.folder is not None:
        os.chdir(target.folder)
    answer.send(asdict(describing.describe(target, target.folder)))


def enter(settings: Settings, ends: "Ends") -> None:
    """Wait for an attempt and run it; see `run.main`."""
    from service.worker import run  # loaded already in the parent that this is a fork of

    run.main(settings, ends)
