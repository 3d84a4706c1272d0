"""Tracing in a thread beside other work of a process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service.config import Settings
from service.db import Database
from service.tracing.export import Exporter
from service.tracing.follower import Follower


@contextmanager
def tracing(settings: Settings) -> Iterator[None]:
    """Send traces until the block is left; a request that has begun is waited for."""
    db, exporter, stop = Database(settings, pool_size=1), Exporter(settings), threading.Event()
    thread = threading.Thread(
        target=Follower(db, exporter.send).run, args=(stop,), name="tracing", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        exporter.close()
        thread.join()
        db.close()
