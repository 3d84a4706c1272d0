"""What a fault run is played on: a database, nodes of one web process and one worker, a model."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from service import schema
from service.config import Settings
from service.db import Database
from tests.chaos.shifted import OFFSET_FILE
from tests.conftest import settings_for
from tests.model_server import ModelServer, Reply, Rule
from tests.postgres import PostgresServer
from tests.processes import Longline

DATABASE = "longline"
TEXT = "".join(f"Sentence {n} of the text. " for n in range(12))


class Node(Longline):
    """A web process and a worker of one machine; each is started again when it was killed."""

    def __init__(self, folder: Path, **environment: str) -> None:
        folder.mkdir()
        self.clock = folder / "clock"
        self.clock.write_text("0")
        super().__init__(
            folder,
            worker_module="tests.chaos.shifted",
            **{OFFSET_FILE: str(self.clock), **environment},
        )
        self._starting: list[threading.Thread] = []

    def pids(self, name: str) -> list[int]:
        """Of the web, gunicorn and its worker; of the worker, the supervisor."""
        process = self.processes.get(name)
        if process is None:
            return []
        return [process.pid, *_descendants(process.pid)] if name == "web" else [process.pid]

    def children(self) -> list[int]:
        """Processes that run an attempt, known by where they work."""
        return list(_working_in(self.folder / "data" / "runs"))

    def start_again(self, name: str) -> None:
        thread = threading.Thread(target=self.start, args=(name,))
        thread.start()
        self._starting.append(thread)

    def all_started(self) -> None:
        for thread in self._starting:
            thread.join(120)
        self.start_missing()


class Stage:
    """Put up by `with`; all of it is gone afterwards."""

    def __init__(self, folder: Path, database: str, *, nodes: int) -> None:
        self.folder = folder
        self.postgres = PostgresServer() if database == "postgresql" else None
        self.model = ModelServer([Rule(Reply(TEXT, delay_s=0.03))])
        self._count = nodes
        self.nodes: list[Node] = []

    def __enter__(self) -> "Stage":
        self.model.__enter__()
        self.settings = Settings(data=self.folder, database_url=self._url())
        self.db = Database(self.settings)
        schema.upgrade(self.db)
        environment = {**settings_for(self.model), "DATABASE_URL": self._url()}
        self.nodes = [Node(self.folder / f"node-{i}", **environment) for i in range(self._count)]
        threads = [threading.Thread(target=node.start_missing) for node in self.nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.__exit__()
        self.db.close()
        self.model.close()
        if self.postgres is not None:
            self.postgres.close()

    def _url(self) -> str:
        if self.postgres is None:
            return f"sqlite:///{self.folder / 'longline.db'}"
        if self.postgres.process is None:
            self.postgres.start()
            self.postgres.execute(f"CREATE DATABASE {DATABASE}")
        return self.postgres.url(DATABASE)

    def ask_any(self, chance: Any, path: str, **options: Any) -> httpx.Response | None:
        """What one of the web processes answers; None when it does not, or not well."""
        url = chance.choice(self.nodes).url + path
        method = options.pop("method", "GET")
        with suppress(httpx.TransportError):
            response = httpx.request(method, url, timeout=8, **options)
            return response if response.is_success else None
        return None


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """SIGSTOP, and SIGCONT behind the block."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _working_in(folder: Path) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().parent == folder:
                yield int(process.name)


def _descendants(pid: int) -> list[int]:
    with suppress(OSError):
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in listed]
    return []


def left_over(folder: Path) -> list[int]:
    """Processes that still know the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (
                int(process.name) != os.getpid()
                and str(folder).encode() in (process / "environ").read_bytes()
            ):
                found.append(int(process.name))
    return found
