"""Where a fork begins. Imports nothing by itself: the supervisor, which names it, has no frameworks."""

import os
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from service import config
from service.config import Settings
from service.missions.attempts import Claim
from service.missions.target import parse


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


def enter(claim: Claim, settings: Settings, *rest: Any) -> None:
    """Run an attempt; see `run.main`."""
    from service.worker import run  # loaded already in the parent that this is a fork of

    run.main(claim, settings, *rest)
