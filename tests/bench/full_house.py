"""Two hundred missions at once on PostgreSQL: four workers of fifty each, crews on a scripted model.

Each mission says something, asks for a review, and is answered when all of them wait: so all are there
at the same moment. The model is a process of its own. What is measured shares the machine with it.
"""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from service import clock
from tests.bench.postgres import server
from tests.bench.sides import private_bytes
from tests.bench.table import Figure, quantile
from tests.conftest import MODEL
from tests.faults.stage import working_in
from tests.missions import mission, task
from tests.processes import Longline, until

WORKERS, EACH = 4, 50
WITHIN_S = 900.0  # each builds its crew: minutes, on two cores
WORDS = "heat " * 40
MB = 1e6


class Follower(threading.Thread):
    """Follows the feed, and notes how old each event is when it comes."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.ages_ms: dict[str, list[float]] = {}
        self.ended = Counter[str]()
        self._url = url
        self._closed = threading.Event()

    def run(self) -> None:
        after = 0
        with httpx.Client(timeout=60) as client:
            while not self._closed.is_set():
                page = client.get(f"{self._url}/events?after={after}&wait=2&limit=1000").json()
                now = time.time() * 1000
                for event in page["events"]:
                    self._note(event, now)
                after = page["next"]

    def close(self) -> None:
        self._closed.set()
        self.join()

    def _note(self, event: dict[str, Any], now: float) -> None:
        age = now - (clock.ms_of(event["at"]) or 0)
        self.ages_ms.setdefault(event["kind"], []).append(age)
        if event["name"] in ("mission.completed", "mission.failed", "mission.cancelled"):
            self.ended[event["name"]] += 1


def full_house(parent: Path) -> list[Figure]:
    folder = parent / "postgres-full"
    with ExitStack() as stack:
        _, settings = stack.enter_context(server(folder, max_connections="400"))
        model = stack.enter_context(_model(folder))
        environment = _environment(model, settings.database_url or "")
        nodes = [_node(folder / f"node{n}", environment) for n in range(WORKERS)]
        for node in nodes:
            stack.callback(node.__exit__)
        nodes[0].start("web")
        for node in nodes:
            node.launch("worker")
        for node in nodes:
            until(lambda n=node: b"at once" in n.log("worker"), within_s=300, what="workers")
        return _measure(nodes)


def _measure(nodes: list[Longline]) -> list[Figure]:
    follower = Follower(nodes[0].url)
    follower.start()
    begin = time.monotonic()
    spec = mission(task("draft", human_input=True), human={"timeout_s": WITHIN_S})
    for _ in range(WORKERS * EACH):
        nodes[0].client.create(spec)
    asked = until(lambda: _all_ask(nodes[0].url), within_s=WITHIN_S, what="missions that ask")
    all_there_s = time.monotonic() - begin
    pids = [pid for node in nodes for pid in working_in(node.folder / "data" / "runs")]
    memory = sorted(private_bytes([pid]) / MB for pid in pids)
    with httpx.Client(timeout=60) as client:
        for request_id in asked:
            client.post(f"{nodes[0].url}/requests/{request_id}", json={"answer": ""})
    ended = follower.ended
    until(lambda: ended.total() == WORKERS * EACH, within_s=WITHIN_S, what="end of all missions")
    follower.close()
    words = follower.ages_ms["STREAM"]
    row = f"{WORKERS * EACH} missions, {WORKERS} workers"
    return [
        Figure(row, "running at once", len(pids), at_least=WORKERS * EACH),
        Figure(row, "private memory of a run, median MB", memory[len(memory) // 2], at_most=40),
        Figure(row, "private memory of a run, largest MB", memory[-1], at_most=40),
        Figure(row, "until all were there, s", all_there_s),
        Figure(row, "a word's age at a client, p50 ms", quantile(words, 50)),
        Figure(row, "a word's age at a client, p99 ms", quantile(words, 99)),
        Figure(row, "not completed", WORKERS * EACH - ended["mission.completed"], at_most=0),
    ]


def _all_ask(url: str) -> list[int] | None:
    """The open questions, when there is one of each mission."""
    path = f"{url}/requests?status=pending&limit=200"
    found = [request["id"] for request in httpx.get(path, timeout=60).json()["requests"]]
    return found if len(found) == WORKERS * EACH else None


@contextmanager
def _model(folder: Path) -> Iterator[str]:
    """A scripted model in a process of its own. Its base URL."""
    script = folder / "model.json"
    script.write_text(f'[{{"reply": {{"text": "{WORDS}", "delay_s": 0.02}}}}]')
    command = [sys.executable, "-m", "tests.model_server", "--script", str(script), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running.stdout.readline().split()[-1]
        running.kill()


def _environment(model: str, url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "OPENAI_BASE_URL": model,
        "OPENAI_API_KEY": "scripted-key-of-the-bench",
        "LONGLINE_MODEL": f"openai/{MODEL}",
        "LONGLINE_CONCURRENCY": str(EACH),
        "LONGLINE_MAX_RUNNING": str(WORKERS * EACH),
        "LONGLINE_REQUESTS_PER_S": "1000",
        "PATH": os.environ.get("PATH", ""),
    }


def _node(folder: Path, environment: dict[str, str]) -> Longline:
    folder.mkdir()
    return Longline(folder, **environment)
