"""A thousand simulated workers on PostgreSQL: what the counter of a workspace, and a watcher, bear.

A simulated worker is a mission that appends a batch of five events every two seconds, at a moment of
its own, through `log.append`; behind a pool of connections, as behind a pooler. Beside them a real web
process, with followers. The peer does the least that any numbering has to: it only adds to one row.
"""

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import httpx
from sqlalchemy import text

from service.config import Settings
from service.db import UNAVAILABLE, Database
from service.events import log
from tests.bench.postgres import node, server
from tests.bench.table import Figure, quantile
from tests.contract import given as the
from tests.contract.processes import run_together

SIMULATED, PROCESSES, POOL = 1000, 4, 8
EVERY_S, BATCH, LASTS_S = 2.0, 5, 12.0
WORKSPACES = 20
FOLLOWERS = 2  # each reads all that is said; Python reads slowly
COUNTER = "CREATE TABLE bare (id int PRIMARY KEY, n bigint NOT NULL)"

Append = Callable[[Database, int], None]


def simulated(parent: Path) -> list[Figure]:
    folder = parent / "postgres-thousand"
    with server(folder) as (_, settings):
        with closing(Database(settings)) as db:
            with db.transaction() as conn:
                conn.execute(text(COUNTER))
                conn.execute(text("INSERT INTO bare VALUES (1, 0)"))
            several = [the.make_workspace(db, f"w{n}") for n in range(WORKSPACES)]
            one = [the.make_mission(db) for _ in range(SIMULATED)]
            spread = [the.make_mission(db, several[n % WORKSPACES]) for n in range(SIMULATED)]
        bare = _took(settings, [1] * SIMULATED, _count)
        shared = _took(settings, one, _append)
        apart = _took(settings, spread, _append)
        watched, looks = _watched(folder, settings, one)
    row = f"{SIMULATED:,} simulated workers, {SIMULATED / EVERY_S:,.0f} commits/s"
    return [
        Figure(row, "1 workspace, commits/s", len(shared) / LASTS_S, "bare counter", len(bare) / LASTS_S),
        Figure(row, "1 workspace, p50 ms", quantile(shared, 50), "bare counter", quantile(bare, 50)),
        Figure(row, "1 workspace, p99 ms", quantile(shared, 99), "bare counter", quantile(bare, 99)),
        Figure(row, f"{WORKSPACES} workspaces, p50 ms", quantile(apart, 50), "1 workspace", quantile(shared, 50)),
        Figure(row, f"{WORKSPACES} workspaces, p99 ms", quantile(apart, 99), "1 workspace", quantile(shared, 99)),
        Figure(row, f"{FOLLOWERS} followers, p50 ms", quantile(watched, 50), "none", quantile(shared, 50)),
        Figure(row, f"{FOLLOWERS} followers, looks of the watcher/s", looks / LASTS_S),
    ]  # fmt: skip


def _watched(folder: Path, settings: Settings, missions: list[int]) -> tuple[list[float], float]:
    """What appends took, and how often the watcher of a web process looked meanwhile."""
    web = node(folder / "web", settings)
    web.start("web")
    closed = threading.Event()
    following = [
        threading.Thread(target=_follow, args=(web.url, closed), daemon=True)
        for _ in range(FOLLOWERS)
    ]
    for thread in following:
        thread.start()
    before = _looks(web.url)
    took = _took(settings, missions, _append)
    looks = _looks(web.url) - before
    closed.set()
    for thread in following:
        thread.join()
    web.__exit__()
    return took, looks


def _follow(url: str, closed: threading.Event) -> None:
    with httpx.Client(timeout=60) as client:
        after = client.get(f"{url}/events?after=now&wait=0").json()["next"]
        while not closed.is_set():
            after = client.get(f"{url}/events?after={after}&wait=2&limit=1000").json()["next"]


def _looks(url: str) -> float:
    lines = httpx.get(f"{url}/metrics", timeout=60).text.splitlines()
    return sum(float(x.rpartition(" ")[2]) for x in lines if x.startswith("longline_wakeups_total"))


def _took(settings: Settings, targets: list[int], append: Append) -> list[float]:
    """How long each append took in ms, from when it was due."""
    parts = [targets[n::PROCESSES] for n in range(PROCESSES)]
    jobs = [(_simulate, settings, part, append) for part in parts]
    return [ms for part in run_together(jobs) for ms in part]


def _simulate(settings: Settings, targets: list[int], append: Append) -> list[float]:
    """One process's part of them, each a thread that mostly sleeps."""
    took: list[float] = []
    end = time.monotonic() + LASTS_S
    with closing(Database(settings, pool_size=POOL)) as db:
        threads = [
            threading.Thread(target=_one, args=(db, target, append, end, took))
            for target in targets
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return took


def _one(db: Database, target: int, append: Append, end: float, took: list[float]) -> None:
    due = time.monotonic() + random.uniform(0, EVERY_S)
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        with suppress(
            UNAVAILABLE
        ):  # no connection in ten seconds: it is missing in what is counted
            append(db, target)
            took.append((time.monotonic() - due) * 1000)
        due += EVERY_S


def _append(db: Database, mission_id: int) -> None:
    with db.statement() as conn:
        log.append(conn, mission_id, [the.delta("a word ", call="c1")] * BATCH, fence=None)


def _count(db: Database, row: int) -> None:
    with db.statement() as conn:
        conn.exec_driver_sql("UPDATE bare SET n = n + 5 WHERE id = %s", (row,))
