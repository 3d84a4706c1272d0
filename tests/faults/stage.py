"""What a fault run is played on: a database, and nodes of one web process and one worker."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self

from service import schema
from service.config import Settings
from service.db import Database
from tests.faults.disk import Disk
from tests.faults.shifted import OFFSET_FILE
from tests.postgres import PostgresServer
from tests.processes import Longline, until

DATABASE = "longline"
STARTED_WITHIN_S = 120.0
MODEL = {
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",  # never called: the engine speaks by itself
    "OPENAI_API_KEY": "scripted-key-of-the-tests",
    "LONGLINE_MODEL": "openai/scripted-1",
}
# Short leases, so that a lost one is seen within the run.
PATIENCE = {
    **MODEL,
    "LONGLINE_LEASE_S": "3",
    "LONGLINE_RENEW_S": "0.5",
    "LONGLINE_DRAIN_S": "2",
}


class Node(Longline):
    """A web process and a worker of one machine; each is started again when it was killed."""

    def __init__(self, folder: Path, **environment: str) -> None:
        folder.mkdir()
        self.clock = folder / "clock"
        self.clock.write_text("0")
        super().__init__(
            folder,
            web_module="tests.faults.web",
            worker_module="tests.faults.worker",
            **{OFFSET_FILE: str(self.clock), **environment},
        )
        self._starting: list[threading.Thread] = []

    def pids(self, name: str) -> list[int]:
        """Of the web, gunicorn and its worker; of the worker, the supervisor."""
        process = self.processes.get(name)
        if process is None:
            return []
        return [process.pid, *_children(process.pid)] if name == "web" else [process.pid]

    def runs(self) -> list[int]:
        """Processes that run an attempt, known by where they work."""
        return list(working_in(self.folder / "data" / "runs"))

    def start_again(self, name: str) -> None:
        """Without waiting for it: others go on dying meanwhile."""
        thread = threading.Thread(target=self.start, args=(name,))
        thread.start()
        self._starting.append(thread)

    def all_started(self) -> None:
        for thread in self._starting:
            thread.join(STARTED_WITHIN_S)
        self.start_missing()


class Stage:
    """Put up by `with`; all of it is gone afterwards."""

    def __init__(self, folder: Path, database: str, *, nodes: int) -> None:
        self.folder = folder
        self.nodes: list[Node] = []
        self.postgres: PostgresServer | None = None
        self._database, self._count = database, nodes
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.disk = stack.enter_context(Disk())
            url = self._serve_database(stack)
            self.db = Database(Settings(data=self.folder, database_url=url))
            stack.callback(self.db.close)
            schema.upgrade(self.db)
            folders = [self.folder / f"node-{i}" for i in range(self._count)]
            self.nodes = [Node(folder, **PATIENCE, DATABASE_URL=url) for folder in folders]
            for node in self.nodes:
                stack.callback(node.__exit__)
            self._start_nodes()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(None, None, None)

    def end(self) -> None:
        """SIGTERM to all. Raises when something does not end, or leaves something behind."""
        for node in self.nodes:
            node.__exit__()
        self.db.close()
        places = [str(node.folder) for node in self.nodes]
        until(lambda: not left_over(places), what="end of all processes")
        if self.postgres is not None:
            count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            postgres = self.postgres
            until(lambda: postgres.execute(count, DATABASE) == [(0,)], what="end of connections")

    def revive_postgres(self) -> None:
        """Start the server unless it goes on by itself."""
        postgres = self.postgres
        assert postgres is not None
        with suppress(AssertionError):
            until(lambda: postgres.ended() or postgres.answers(), within_s=5, what="server")
        if not postgres.answers():
            postgres.crash()
            postgres.start()

    def _serve_database(self, stack: ExitStack) -> str:
        if self._database == "sqlite":
            stack.callback(shutil.rmtree, self.disk.path / "data", ignore_errors=True)
            (self.disk.path / "data").mkdir()
            return f"sqlite:///{self.disk.path}/data/longline.db"
        self.postgres = PostgresServer(place=self.disk.path)
        stack.enter_context(self.postgres)
        self.postgres.execute(f"CREATE DATABASE {DATABASE}")
        return self.postgres.url(DATABASE)

    def _start_nodes(self) -> None:
        threads = [threading.Thread(target=node.start_missing) for node in self.nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(STARTED_WITHIN_S)


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """SIGSTOP, and SIGCONT behind the block."""
    _send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _send(pids, signal.SIGCONT)


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def working_in(folder: Path) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().parent == folder:
                yield int(process.name)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in listed]
    return []


def left_over(places: list[str]) -> list[int]:
    """Processes that were started with one of these folders in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (process / "environ").read_bytes()
            if any(place.encode() in environment for place in places):
                found.append(int(process.name))
    return found
