"""The sender: turns the log into deliveries and tries those that are due, until told to stop.

Any number of senders may run, and any may be killed at any point: what it had taken is tried again by
another one a minute later, under the same id. So a receiver gets each event at least once.
"""

import logging
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from service.config import Settings
from service.db import UNAVAILABLE, Database, reason
from service.webhooks import queue, registry
from service.webhooks.queue import Due
from service.webhooks.sending import Missed, send

LOOK_S = 0.2
RETRY_S = 1.0  # after the database did not answer
AT_ONCE = 8
GONE = 410

logger = logging.getLogger(__name__)


class Sender:
    """One process's part of the sending."""

    def __init__(self, settings: Settings) -> None:
        self._db = Database(settings, pool_size=AT_ONCE + 1)
        self._hosts = settings.private_webhook_hosts
        self._pauses_s = settings.webhook_pauses_s
        self._stop = threading.Event()

    def run(self) -> None:
        """Send until SIGTERM or SIGINT; a try that has begun is finished."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        logger.info("sending webhooks, %s at once", AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while not self._stop.is_set():
                try:
                    idle = not self._turn(pool)
                except UNAVAILABLE as error:
                    logger.warning("the database does not answer: %s", reason(error))
                    self._stop.wait(RETRY_S)
                    continue
                if idle:
                    self._stop.wait(LOOK_S)
        self._db.close()

    def _on_signal(self, *_: Any) -> None:
        self._stop.set()

    def _turn(self, pool: ThreadPoolExecutor) -> bool:
        """Whether there was something to do."""
        with self._db.reading() as conn:
            behind, is_due = queue.behind(conn), queue.is_any_due(conn)
        for webhook_id in behind:
            with self._db.transaction() as conn:
                queue.plan(conn, webhook_id)
        if is_due or behind:  # a write transaction holds up others, and wakes who listens
            with self._db.transaction() as conn:
                due = queue.claim(conn, limit=AT_ONCE)
            list(pool.map(self._try, due))
        return bool(is_due or behind)

    def _try(self, due: Due) -> None:
        try:
            status = send(due, allowed_hosts=self._hosts)
        except Missed as missed:
            self._note_missed(due, missed)
            return
        with self._db.transaction() as conn:
            queue.delivered(conn, due, status)

    def _note_missed(self, due: Due, missed: Missed) -> None:
        pauses = self._pauses_s[due.tries : due.tries + 1]
        gone = missed.response == GONE
        logger.info("webhook %s, event %s: %s", due.webhook_id, due.seq, missed.error)
        with self._db.transaction() as conn:
            queue.missed(
                conn,
                due,
                response=missed.response,
                error=missed.error,
                again_in_s=None if gone or not pauses else pauses[0],
            )
            if gone:
                registry.disable(conn, due.webhook_id)
