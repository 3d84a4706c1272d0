"""What PostgreSQL costs: appends by eight writers, a commit's way to a client, a mission's to its run.

fsync is on. Everything runs on this one machine, the server too: it shares the cores with what is measured.
"""

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from service import clock, schema
from service.config import Settings
from service.db import Database
from service.events import log
from service.events.kinds import Kind, NewEvent
from tests.bench.table import Figure
from tests.contract import given as the
from tests.contract.processes import run_together
from tests.faults.stage import PATIENCE, Node
from tests.missions import mission, task
from tests.postgres import PostgresServer

NAME = "longline"
WRITERS, BATCH, APPEND_S = 8, 20, 4.0
PROBES = 100
IDLE_S = 10.0
SETTLE_S = 0.1


@contextmanager
def _server(folder: Path) -> Iterator[tuple[PostgresServer, Settings]]:
    folder.mkdir()
    with PostgresServer(fsync=True) as server:
        server.execute(f"CREATE DATABASE {NAME}")
        settings = Settings(data=folder, database_url=server.url(NAME))
        db = Database(settings)
        schema.upgrade(db)
        db.close()
        yield server, settings


def append(folder: Path) -> list[Figure]:
    """Eight processes for some seconds: all in one workspace, then each in one of its own."""
    with _server(folder / "postgres-append") as (_, settings):
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
        with db.transaction() as conn:
            log.append(conn, mission_id, batch, fence=None)
        count += BATCH
    db.close()
    return count


def delivery(folder: Path) -> list[Figure]:
    """One event at a time to one client that polls: from behind the commit to the answer."""
    with _server(folder / "postgres-delivery") as (_, settings):
        node = _node(folder / "postgres-delivery" / "node", settings)
        node.start("web")
        db = Database(settings)
        samples = _delivered(node, db, the.make_mission(db))
        db.close()
        node.__exit__()
    p50 = statistics.median(samples) * 1000
    return [Figure("postgres", "commit to client over LISTEN, p50 ms", p50, at_most=5)]


def _delivered(node: Node, db: Database, mission_id: int) -> list[float]:
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
    """From the answer of POST /missions to the first word of its run's function, three workers."""
    with _server(folder / "postgres-dispatch") as (server, settings):
        nodes = [_node(folder / "postgres-dispatch" / f"node{n}", settings) for n in range(3)]
        nodes[0].start("web")
        for node in nodes:
            node.start("worker")
        idle = _statements_per_s(server)
        db = Database(settings)
        samples = [_entered(nodes[0], db) for _ in range(PROBES // 5)]
        db.close()
        for node in nodes:
            node.__exit__()
    p50 = statistics.median(samples) * 1000
    return [
        Figure("postgres", "POST to mission.running, 3 workers, p50 ms", p50, at_most=10),
        Figure("postgres", "idle, 1 web and 3 workers, transactions/s", idle),
    ]


def _entered(node: Node, db: Database) -> float:
    """By the times of the mission's own events, which are of one machine's clock."""
    made = node.client.create(mission(task("first")))
    node.wait_for_status(made["id"], "completed")
    at = {event["name"]: event["at"] for event in the.events_of(db, made["id"])}
    return _seconds(at["mission.running"]) - _seconds(at["mission.queued"])


def _seconds(text: str) -> float:
    return (clock.ms_of(text) or 0) / 1000


def _statements_per_s(server: PostgresServer) -> float:
    count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = %s"
    before = server.execute(count, NAME)[0][0]
    time.sleep(IDLE_S)
    return float(server.execute(count, NAME)[0][0] - before) / IDLE_S


def _node(folder: Path, settings: Settings, **changes: str) -> Node:
    url = settings.database_url or ""
    return Node(folder, **{**PATIENCE, "DATABASE_URL": url, **changes})


POSTGRES = {"pg-append": append, "pg-delivery": delivery, "pg-dispatch": dispatch}
