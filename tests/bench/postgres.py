"""What PostgreSQL costs: appends by eight writers, a commit's way to a client, a mission's to its run.

fsync is on. Everything runs on this one machine, the server too: it shares the cores with what is measured.
"""

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import httpx
import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

from service import clock, schema
from service.config import Settings
from service.db import Database
from service.events import log
from service.events.kinds import Kind, NewEvent
from tests.bench.table import Figure
from tests.contract import given as the
from tests.contract.processes import run_together
from tests.faults.engine import ENTERED
from tests.faults.stage import MODEL
from tests.missions import mission, task
from tests.postgres import PostgresServer
from tests.processes import Longline, until

NAME = "longline"
WRITERS, BATCH, APPEND_S = 8, 20, 4.0
PROBES = 100
IDLE_S = 30.0
SETTLED_S = 5.0  # behind the start
SETTLE_S = 0.1
ALONE_S = 0.3  # behind a POST
REST_S = 1.0  # till the worker of the mission before has another process standing by


@contextmanager
def server(folder: Path, **options: str) -> Iterator[tuple[PostgresServer, Settings]]:
    """A server with a migrated database. options: PostgreSQL's own settings."""
    folder.mkdir()
    with PostgresServer(fsync=True, **options) as running:
        running.execute(f"CREATE DATABASE {NAME}")
        settings = Settings(data=folder, database_url=running.url(NAME))
        with closing(Database(settings)) as db:
            schema.upgrade(db)
        yield running, settings


def append(folder: Path) -> list[Figure]:
    """Eight processes for some seconds: all in one workspace, then each in one of its own."""
    with server(folder / "postgres-append") as (_, settings):
        db = Database(settings)
        own = [the.make_workspace(db, f"w{n}") for n in range(WRITERS)]
        shared = [the.make_mission(db) for _ in range(WRITERS)]
        apart = [the.make_mission(db, workspace_id) for workspace_id in own]
        db.close()
        one, several = _appended(settings, shared), _appended(settings, apart)
    return [
        Figure("postgres", "append, 8 writers, 1 workspace, events/s", one, at_least=15_000),
        Figure("postgres", "append, 8 writers, 8 workspaces, events/s", several),
    ]


def _appended(settings: Settings, mission_ids: list[int]) -> float:
    counts = run_together([(_write, settings, mission_id) for mission_id in mission_ids])
    return float(sum(counts)) / APPEND_S


def _write(settings: Settings, mission_id: int) -> int:
    db = Database(settings, pool_size=1)
    batch = [the.delta(f"word {n} ", call="c1") for n in range(BATCH)]
    count, end = 0, time.monotonic() + APPEND_S
    while time.monotonic() < end:
        with db.statement() as conn:  # as a recorder's, when it only appends
            log.append(conn, mission_id, batch, fence=None)
        count += BATCH
    db.close()
    return count


def delivery(folder: Path) -> list[Figure]:
    """One event at a time to one client that polls: from behind the commit to the answer."""
    with server(folder / "postgres-delivery") as (_, settings):
        web = node(folder / "postgres-delivery" / "node", settings)
        web.start("web")
        with closing(Database(settings)) as db:
            samples = _delivered(web, db, the.make_mission(db))
        web.__exit__()
        bare = statistics.median(_notified(settings)) * 1000
    p50 = statistics.median(samples) * 1000
    row = "commit to client over LISTEN"
    return [
        Figure(row, "p50 ms", p50, at_most=5),
        Figure(row, "p50 ms", p50, "bare NOTIFY behind a commit", bare),
    ]


def _notified(settings: Settings) -> list[float]:
    """From behind a commit to a listening connection that is then told: no feed, no HTTP."""
    samples = []
    url = settings.database_url or ""
    with psycopg.connect(url, autocommit=True) as ear, psycopg.connect(url) as writer:
        ear.execute("LISTEN bare")
        for _ in range(PROBES):
            writer.execute("UPDATE workspaces SET head = head WHERE id = 1")
            writer.commit()
            committed = time.monotonic()
            writer.execute("NOTIFY bare")
            writer.commit()
            next(ear.notifies(timeout=5, stop_after=1))
            samples.append(time.monotonic() - committed)
    return samples


def _delivered(node: Longline, db: Database, mission_id: int) -> list[float]:
    samples = []
    with httpx.Client(timeout=30) as client, ThreadPoolExecutor(1) as pool:
        for n in range(PROBES):
            head = client.get(f"{node.url}/events?after=now&wait=0").json()["head"]
            held = pool.submit(_arrival, client, f"{node.url}/events?after={head}")
            time.sleep(SETTLE_S)  # till it is held
            event = NewEvent(Kind.STREAM, "text", {"delta": f"word {n} "}, call="c1")
            with db.transaction() as conn:
                log.append(conn, mission_id, [event], fence=None)
            committed = time.monotonic()
            samples.append(held.result() - committed)
    return samples


def _arrival(client: httpx.Client, url: str) -> float:
    client.get(f"{url}&wait=20")
    return time.monotonic()


def dispatch(folder: Path) -> list[Figure]:
    """From POST /missions to the first event of its run's function, three workers at rest."""
    with server(folder / "postgres-dispatch") as (_, settings):
        with (
            _three(folder / "postgres-dispatch", settings) as web,
            closing(Database(settings)) as db,
        ):
            samples = [_entered(web, db) for _ in range(PROBES // 5)]
        bare = statistics.median(_queued(settings)) * 1000
    claimed, entered, begun = (
        statistics.median(part) * 1000 for part in zip(*samples, strict=True)
    )
    row = "POST to the run, 3 workers"
    return [
        Figure(row, "claim sent, p50 ms", claimed),
        Figure(row, "function entered, p50 ms", entered, at_most=10),
        Figure(row, "function entered, p50 ms", entered, "the queue alone", bare),
        Figure(row, "first task begun, p50 ms", begun),
    ]


@contextmanager
def _three(folder: Path, settings: Settings) -> Iterator[Longline]:
    """Three workers, and a web process beside the first of them."""
    with ExitStack() as stack:
        nodes = [node(folder / f"node{n}", settings) for n in range(3)]
        for each in nodes:
            stack.callback(each.__exit__)
        nodes[0].start("web")
        for each in nodes:
            each.start("worker")
        yield nodes[0]


def _entered(web: Longline, db: Database) -> list[float]:
    """From the moment of sending to the claim, to the run's function in its process, and to its first task.

    By this machine's one clock, on a connection that is kept, and with nobody who follows meanwhile.
    """
    connection = HTTPConnection("127.0.0.1", web.port)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    body = json.dumps(mission(task("first")))
    time.sleep(REST_S)
    sent = time.time()
    connection.request("POST", "/missions", body, {"Content-Type": "application/json"})
    made = json.loads(connection.getresponse().read())
    connection.close()
    time.sleep(ALONE_S)
    web.wait_for_status(made["id"], "completed", within_s=120)
    at = {event["name"]: event["at"] for event in the.events_of(db, made["id"])}
    return [_seconds(at[name]) - sent for name in ("mission.running", ENTERED, "task.started")]


def _queued(settings: Settings) -> list[float]:
    """What a job of the queue itself takes, from before it is deferred to its function."""
    entered: list[float] = []
    conninfo = settings.database_url or ""
    ours = App(connector=SyncPsycopgConnector(conninfo=conninfo))
    theirs = App(connector=PsycopgConnector(conninfo=conninfo))
    for app in (ours, theirs):
        app.task(name="bench", queue="bench")(lambda: entered.append(time.monotonic()))

    async def work() -> None:
        async with theirs.open_async():
            await theirs.run_worker_async(queues=["bench"], install_signal_handlers=False)

    loop = asyncio.new_event_loop()
    working = loop.create_task(work())
    ending = asyncio.gather(working, return_exceptions=True)
    thread = threading.Thread(target=loop.run_until_complete, args=(ending,))
    thread.start()
    samples = []
    with ours.open():
        for count in range(PROBES // 5 + 1):
            begin = time.monotonic()
            ours.configure_task("bench", queue="bench").defer()
            until(lambda wanted=count + 1: len(entered) == wanted, what="job")
            samples.append(entered[-1] - begin)
    loop.call_soon_threadsafe(working.cancel)
    thread.join()
    return samples[1:]  # before the first one it has yet to listen


def idle(folder: Path) -> list[Figure]:
    """What a web process and three workers send to the server while nothing happens."""
    told = {"log_statement": "all", "log_min_messages": "log", "log_line_prefix": "%a|"}
    with (
        server(folder / "postgres-idle", **told) as (running, settings),
        _three(folder / "postgres-idle", settings),
    ):
        time.sleep(SETTLED_S)
        log_file = running.folder / "server.log"
        before = log_file.stat().st_size
        time.sleep(IDLE_S)
        lines = log_file.read_bytes()[before:].splitlines()
    sent = [line for line in lines if b"LOG:  statement:" in line or b"LOG:  execute " in line]
    queues = [line for line in sent if line.startswith(b"longline queue|")]
    row = "idle, 1 web and 3 workers"
    return [
        Figure(row, "statements/s", len(sent) / IDLE_S),
        Figure(row, "of them the queue's own", len(queues) / IDLE_S),
    ]


def _seconds(text: str) -> float:
    return (clock.ms_of(text) or 0) / 1000


def node(folder: Path, settings: Settings) -> Longline:
    """As shipped but for the engine, which is the fault run's; by the machine's clock and our own leases."""
    folder.mkdir()
    url = settings.database_url or ""
    return Longline(folder, worker_module="tests.faults.worker", **MODEL, DATABASE_URL=url)


POSTGRES = {
    "pg-append": append, "pg-delivery": delivery, "pg-dispatch": dispatch, "pg-idle": idle
}  # fmt: skip
