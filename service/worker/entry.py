"""Where a fork begins. Imports nothing by itself: the supervisor, which names it, has no frameworks."""

from pathlib import Path
from typing import Any

from service.config import Settings
from service.missions.attempts import Claim


def enter(claim: Claim, settings: Settings, folder: Path, *pipes: Any) -> None:
    """Run an attempt; see `run.main`."""
    from service.worker import run  # loaded already in the parent that this is a fork of

    run.main(claim, settings, folder, *pipes)
