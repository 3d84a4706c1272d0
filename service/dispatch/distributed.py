"""Dispatch on PostgreSQL by a queue, procrastinate: a job rings at a worker that has room.

A job is a doorbell and no more. Who hears it claims the mission row whose turn it is. That a job has come
is heard twice: at once, by all, when the queue notifies of it, of whom one goes and the others look a
moment later; and by the one who takes it out of the queue, at the latest in a second. A job that
is lost with its worker costs that second too, until somebody with room looks at the rows by himself.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import orjson
import procrastinate
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from sqlalchemy import Connection

from service.db import Database
from service.db.hints import Ear
from service.dispatch.turns import Turns
from service.missions.commands import Job

QUEUE = "missions"
RING = "longline.mission"
SWEEP = "longline.sweep"
LOOK_EVERY_S = 1.0  # at the rows, whatever the queue says
POLL_S = 1.0  # of the queue
# Behind a job that is another worker's turn, who may have no room or be gone.
LATER_S = 0.02
# What procrastinate says when a job has come. We listen to it by ourselves: its worker asks for the job
# before it rings, in three round trips and a commit, and so do all others that have heard of it.
INSERTED = f"procrastinate_queue_v1#{QUEUE}"
RETRY_S = 1.0
STALLED_S = 60.0  # a job whose worker has not been heard of for so long is nobody's
STOP_WITHIN_S = 5.0

logger = logging.getLogger(__name__)
logging.getLogger("procrastinate").setLevel(logging.WARNING)  # it tells of every job


class ToTheQueue:
    """Enqueues in the caller's transaction. Never opens a connection of its own."""

    job = Job(QUEUE, RING)

    def __init__(self) -> None:
        # An app that is open for asynchronous work refuses to be used synchronously.
        self._app = App(connector=SyncPsycopgConnector())

    def hand_over(self, conn: Connection, mission_id: int) -> None:
        task = self._app.configure_task(
            RING, queue=QUEUE, connection=conn.connection.driver_connection
        )
        task.defer(mission_id=mission_id)


class DistributedDispatch(ToTheQueue):
    """The worker's side: runs procrastinate's worker in a thread with a loop of its own."""

    def __init__(
        self, db: Database, wake: Callable[[], None], *, name: str, renew_s: float
    ) -> None:
        """wake: called from another thread when a job has come. name: of the worker."""
        super().__init__()
        self._conninfo = db.direct_url.set(drivername="postgresql").render_as_string(False)
        self._wake = wake
        self._name = name
        self._rung: deque[asyncio.Future[None]] = deque()
        self._turns = Turns(db, name, renew_s=renew_s)
        self._heard = threading.Event()
        self._told = False
        self._look_at = 0.0
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="dispatch", daemon=True)
        self._thread.start()
        self._ear = Ear(db.direct_url, "longline_queue", self._hear, also=INSERTED)

    def waitables(self) -> list[int]:
        """Nothing: `wake` is called."""
        return []

    def pause_s(self, most_s: float) -> float:
        return most_s

    @property
    def told(self) -> bool:
        """Whether a job has just come, and it is our turn: most likely there is a mission to claim."""
        return self._told

    def has_news(self) -> bool:
        """Whether somebody has rung, or it is time to look in any case."""
        self._turns.meet()
        self._told = self._heard.is_set()
        if self._told:
            self._heard.clear()
        now = time.monotonic()
        if not self._told and not self._rung and now < self._look_at:
            return False
        self._look_at = now + LOOK_EVERY_S
        return True

    def settled(self, *, has_room: bool) -> None:
        """A round of claims is through: jobs that were heard are done.

        Without room the last one stays open, so that no further job comes here.
        """
        while has_room and self._rung:
            self._loop.call_soon_threadsafe(_resolve, self._rung.popleft())

    def close(self) -> None:
        self._ear.close()
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(STOP_WITHIN_S)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        """Run the queue's worker until closed, again and again: it ends when PostgreSQL restarts."""
        closing = asyncio.ensure_future(self._closing.wait())
        while not closing.done():
            working = asyncio.ensure_future(self._work())
            await asyncio.wait({working, closing}, return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await asyncio.wait({closing}, timeout=RETRY_S)

    async def _work(self) -> None:
        try:
            app = self._app_of_worker()
            async with app.open_async():
                await app.run_worker_async(
                    queues=[QUEUE],
                    name=self._name,
                    concurrency=1,  # it only rings; how many missions run is the worker's matter
                    fetch_job_polling_interval=POLL_S,
                    listen_notify=False,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=0,
                    delete_jobs="successful",
                )
        except Exception as error:  # noqa: BLE001 (a thread's edge; the rows are looked at meanwhile)
            logger.warning("the queue does not answer: %s", type(error).__name__)

    def _app_of_worker(self) -> App:
        app = App(
            connector=PsycopgConnector(
                conninfo=self._conninfo,
                min_size=1,
                max_size=3,
                timeout=5,
                kwargs={"connect_timeout": 5, "application_name": "longline queue"},
            )
        )
        app.task(name=RING, queue=QUEUE)(self._ring)
        # Also what keeps the worker's loop from waiting for ever on a connection that is dead.
        sweep = app.task(name=SWEEP, queue=QUEUE, pass_context=True)(_sweep)
        app.periodic(cron="* * * * *")(sweep)
        return app

    def _hear(self, word: str) -> None:
        """Called by the ear's thread."""
        job = orjson.loads(word).get("job_id")
        if job is not None and self._turns.is_ours(job):
            self._heard.set()
            self._wake()
        else:
            self._look_at = min(self._look_at, time.monotonic() + LATER_S)

    async def _ring(self, mission_id: int) -> None:  # noqa: ARG002 (for who reads the queue)
        heard: asyncio.Future[None] = self._loop.create_future()
        self._rung.append(heard)
        self._wake()
        await heard


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


async def _sweep(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Drop the jobs of workers that died: their missions have been looked after long since."""
    manager: Any = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
        await manager.finish_job(job, procrastinate.jobs.Status.FAILED, delete_job=True)
