"""What a machine needs: memory of each process and each mission, and what a mission leaves in the database.

Memory is what no other process has a part in: anonymous pages, those shared by a fork counted once. Pages
of files, such as libraries, are left out: the kernel takes them back, and other programs map them too.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bench.sides import family
from tests.bench.table import Figure
from tests.conftest import settings_for
from tests.missions import mission, task
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import Longline, until

AT_ONCE = 4  # missions, as many as `longline serve` runs
LEFT = 8  # missions whose rows are counted
TOKENS, PER_S = 180, 50  # what the model says to each task, and how fast
MB = 1e6


def sizing(folder: Path) -> list[Figure]:
    reply = Reply(" ".join(["heat"] * TOKENS), delay_s=1 / PER_S)
    folder.mkdir()
    with ModelServer([Rule(reply)]) as server:
        environment = settings_for(server) | {"LONGLINE_CONCURRENCY": str(AT_ONCE)}
        with Longline(folder, **environment) as longline:
            longline.launch("sender")
            until(lambda: b"at once" in longline.log("sender"), what="sender")
            return [*_memory(longline), *_left(longline)]


def _memory(longline: Longline) -> list[Figure]:
    found = {name: _own_mb(process.pid) for name, process in longline.processes.items()}
    reviewed = mission(task("draft", human_input=True), human={"timeout_s": 600})
    made = [longline.client.create(reviewed)["id"] for _ in range(AT_ONCE)]
    for mission_id in made:
        longline.wait_for_question(mission_id)
    with_missions = _own_mb(longline.processes["worker"].pid)
    for mission_id in made:
        longline.client.cancel(mission_id)
        longline.wait_for_status(mission_id, "cancelled")
    of_each = (with_missions - found["worker"]) / AT_ONCE
    return [
        *(Figure("memory", f"{name}, MB", value) for name, value in found.items()),
        Figure("memory", "each mission, MB", of_each),
    ]


def _left(longline: Longline) -> list[Figure]:
    """Of missions of two tasks."""
    file = Path(longline.environment["LONGLINE_DATA"]) / "longline.db"
    before = _bytes(file)
    made = [longline.client.create(mission(task("one"), task("two")))["id"] for _ in range(LEFT)]
    for mission_id in made:
        longline.wait_for_status(mission_id, "completed", within_s=120)
    events = sum(len(longline.events(mission_id)) for mission_id in made)
    row = f"mission, {2 * TOKENS} tokens"
    return [
        Figure(row, "events", events / LEFT),
        Figure(row, "kB in the database", (_bytes(file) - before) / LEFT / 1000),
    ]


def _own_mb(pid: int) -> float:
    """Of a process and all that it has started."""
    return sum(_anonymous_kb(each) for each in family(pid)) * 1024 / MB


def _anonymous_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon", "Pss_Shmem")))


def _bytes(file: Path) -> int:
    """Of the pages in use, with what is still in the log beside the file."""
    with closing(sqlite3.connect(file)) as db:

        def told(pragma: str) -> Any:
            return db.execute(f"PRAGMA {pragma}").fetchone()[0]

        return int((told("page_count") - told("freelist_count")) * told("page_size"))


SIZING: dict[str, Callable[[Path], list[Figure]]] = {
    "sizing": lambda folder: sizing(folder / "sizing")
}
