"""Who ends a run's process when it has to and the crew does not."""

import subprocess
import sys
import time

from service.worker import watch

BLOCKED = """
import threading
from service.worker.watch import Watch
watch = Watch()
watch.start()
watch.last = lambda: print("the last of it", flush=True)
watch.stop.set()
threading.Event().wait(60)
"""


def test_who_is_told_to_stop_and_blocks_is_ended_and_stores_what_it_has_before() -> None:
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", BLOCKED], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "the last of it\n"
    assert time.monotonic() - began >= watch.STOP_GRACE_S
