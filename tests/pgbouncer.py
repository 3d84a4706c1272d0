"""PgBouncer in transaction mode in front of a PostgreSQL server: Debian's, installed when we may."""

import os
import subprocess
from pathlib import Path
from typing import Self

import psycopg

from tests.debian import need, where
from tests.postgres import ALONE, USER, PostgresServer, execute
from tests.processes import free_port, until


class PgBouncer:
    """Put in front by `with`."""

    def __init__(self, folder: Path, server: PostgresServer) -> None:
        self.port = free_port()
        self._file = folder / "pgbouncer.ini"
        self._file.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port} user={USER}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\ndefault_pool_size = 4\n"
            "ignore_startup_parameters = extra_float_digits\n"
        )

    def __enter__(self) -> Self:
        drop = ["-u", ALONE] if os.geteuid() == 0 else []
        self._process = subprocess.Popen(
            [_program(), "-q", *drop, self._file], stdin=subprocess.DEVNULL, process_group=0
        )
        try:
            until(self._answers, what="PgBouncer")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            return execute(f"{self.url('postgres')}?connect_timeout=2", "SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False


def _program() -> str:
    need(pgbouncer="pgbouncer")
    return str(where("pgbouncer"))
