"""Where a fork begins. Imports nothing by itself: the supervisor, which names it, has no frameworks."""

from pathlib import Path
from typing import Any

from service.config import Settings
from service.missions.attempts import Claim


def prove() -> None:
    """Show that a fork works: the parent has imported all that it is to be warm with."""


def enter(claim: Claim, settings: Settings, folder: Path, *pipes: Any) -> None:
    """Run an attempt; see `run.main`."""
    from service.worker import run  # loaded already in the parent that this is a fork of

    run.main(claim, settings, folder, *pipes)
