"""A worker whose clock can be set: `longline worker`, with the service's clock read off a file."""

import os
import time
from pathlib import Path
from typing import Any

from service import clock

OFFSET_FILE = "LONGLINE_TEST_CLOCK"  # names a file that holds seconds, to be added to the time


def shifted_now_ms() -> int:
    try:
        offset_s = float(Path(os.environ[OFFSET_FILE]).read_text() or 0)
    except OSError:
        offset_s = 0.0
    return int((time.time() + offset_s) * 1000)


def enter(*arguments: Any) -> None:
    """As `entry.enter`, by the clock of the file."""
    from service.worker import run

    clock.now_ms = shifted_now_ms
    run.main(*arguments)


if __name__ == "__main__":
    from service import config, logs
    from service.worker import entry
    from service.worker.supervisor import Supervisor
    from tests.chaos import shifted

    logs.configure()
    clock.now_ms = shifted_now_ms
    entry.enter = shifted.enter  # by its importable name: the child is to find it
    Supervisor(config.load()).run()
