"""The service's clock, moved by what a file says: how a machine's clock is set wrong in a test."""

import os
import time
from pathlib import Path
from typing import Any

from service import clock

OFFSET_FILE = "LONGLINE_TEST_CLOCK"  # names a file that holds seconds, to be added to the time
# now: a run's process keeps little of its environment
_name = os.environ.get(OFFSET_FILE)


def now_ms() -> int:
    assert _name is not None
    try:
        offset_s = float(Path(_name).read_text() or 0)
    except OSError:
        offset_s = 0.0
    return int((time.time() + offset_s) * 1000)


def shift() -> None:
    """From here on this process tells the time so, where there is such a file."""
    if _name is not None:
        clock.now_ms = now_ms


def create_app() -> Any:
    """What gunicorn runs: the web process, by that clock."""
    from service import app  # as gunicorn does: when gevent has patched the process

    shift()
    return app.create_app()
