"""The servers that are compared: ours, ours without its edge, ours behind nginx, and the two peers."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

import httpx

from service.cli.web import GUNICORN_CONF
from service.config import Settings
from service.db import Database
from service.events import log
from service.missions import commands
from service.missions.spec import MissionSpec
from tests.missions import mission
from tests.processes import Longline, free_port, until
from tests.proxies.paths import NGINX, answers

# Neither is what is measured here: who may hold how much.
UNBOUNDED = {"LONGLINE_MAX_HELD": "19000", "LONGLINE_MAX_HELD_PER_TOKEN": "19000"}
SYNCHRONOUS = "NORMAL"  # what a commit waits for is the disk's business, and no peer has one

NCHAN = """
daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1;
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  nchan_max_reserved_memory 512M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /healthz {{ return 200; }}
    location ~ /listen/(\\w+)$ {{ nchan_subscriber websocket; nchan_channel_id $1;
      nchan_subscriber_first_message newest; }}
    location ~ /publish/(\\w+)$ {{ nchan_publisher websocket; nchan_channel_id $1;
      nchan_message_buffer_length 1000; }}
  }}
}}
"""


class Side:
    """A running server. mode: how the client speaks to it. folder: its own."""

    name = "ours"
    mode = "poll"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("wb") as out:
            self._process = subprocess.Popen(
                self._command(), stdout=out, stderr=out, env=self._environment(), process_group=0
            )
        until(lambda: answers(f"http://127.0.0.1:{self.port}"), within_s=60, what=self.name)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def pids(self) -> list[int]:
        """Of the server and of all below it."""
        assert self._process is not None
        return family(self._process.pid)

    def held(self) -> int | None:
        """How many polls wait by the server's own count; None where it has none."""
        return None

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        return dict(os.environ)

    def channels(self, count: int) -> tuple[list[str], dict[str, Any]]:
        """Lines for the client, and what the writer has to know."""
        rooms = [f"r{os.urandom(6).hex()}" for _ in range(count)]
        publish = [f"/publish/{room}" for room in rooms]
        return [f"/listen/{room} 0 0" for room in rooms], {"port": self.port, "channels": publish}


class Ours(Side):
    """`longline web`: one process."""

    def __init__(self, folder: Path, data: Path | None = None) -> None:
        super().__init__(folder)
        self.data = data or folder / "data"
        self._longline = Longline(
            folder,
            LONGLINE_SQLITE_SYNCHRONOUS=SYNCHRONOUS,
            LONGLINE_DATA=str(self.data),
            **UNBOUNDED,
        )
        self.port = self._longline.port

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "service.cli", "web"]

    def _environment(self) -> dict[str, str]:
        return self._longline.environment

    def held(self) -> int | None:
        # All first polls that have come before are served first.
        with urlopen(f"http://127.0.0.1:{self._longline.port}/readyz", timeout=600) as answer:
            return int(json.load(answer)["held"])

    def channels(self, count: int) -> tuple[list[str], dict[str, Any]]:
        spec = MissionSpec.model_validate(mission())
        db = Database(Settings(data=self.data, database_url=None, sqlite_synchronous="NORMAL"))
        with db.transaction() as conn:
            ids = [commands.create(conn, 1, spec)["id"] for _ in range(count)]
            head = log.head(conn, 1).head
        db.close()
        task = {"data": str(self.data), "channels": ids, "synchronous": SYNCHRONOUS}
        return [f"/missions/{each}/events {head} 1" for each in ids], task


class Stock(Ours):
    """The same application in gunicorn's own gevent worker: each held poll is a Flask view."""

    name = "stock Flask path"

    def _command(self) -> list[str]:
        gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONF)]
        return [*gunicorn, "--worker-class", "gevent", "service.app:create_app()"]


class BehindNginx(Ours):
    """Ours, asked through nginx with its default settings."""

    name = "ours behind nginx"
    to = more = keeps = ""

    def __enter__(self) -> Self:
        super().__enter__()
        upstream, self.port = self.port, free_port()
        conf, folder = self.folder / "nginx.conf", self.folder / "nginx"
        folder.mkdir()
        url = f"http://127.0.0.1:{upstream}"
        given = {"folder": folder, "port": self.port, "to": self.to or url, "more": self.more}
        conf.write_text(NGINX.format(servers=f"server 127.0.0.1:{upstream};{self.keeps}", **given))
        self._nginx = subprocess.Popen(["nginx", "-e", "stderr", "-c", str(conf)], process_group=0)
        until(lambda: answers(f"http://127.0.0.1:{self.port}"), what=self.name)
        return self

    def __exit__(self, *_: object) -> None:
        self._nginx.terminate()
        self._nginx.wait(10)
        super().__exit__()


class BehindKeptNginx(BehindNginx):
    """The same, and nginx keeps its connections to us, as docs/deploying.md advises."""

    to = "http://longline"
    keeps = " keepalive 200;"
    more = 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;'


class WebSockets(Side):
    """FastAPI on uvicorn, in memory: what is being replaced."""

    name = "WebSocket"
    mode = "ws"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("wb") as out:
            self._process = subprocess.Popen(
                self._command(), stdout=out, stderr=out, process_group=0
            )
        until(lambda: _listens(self.port), within_s=60, what=self.name)
        return self

    def _command(self) -> list[str]:
        uvicorn = [sys.executable, "-m", "uvicorn", "tests.bench.broadcast:app"]
        return [*uvicorn, "--port", str(self.port), "--log-level", "warning", "--backlog", "4096"]


class Nchan(Side):
    """nginx's module for this, in C; its subscribers use WebSocket, the fastest that it has."""

    name = "nchan"
    mode = "ws"

    def _command(self) -> list[str]:
        (self.folder / "conf").write_text(NCHAN.format(folder=self.folder, port=self.port))
        return ["nginx", "-e", "stderr", "-c", str(self.folder / "conf")]


def install_nchan() -> None:
    if not Path("/usr/lib/nginx/modules/ngx_nchan_module.so").exists() or not shutil.which("nginx"):
        packages = ["nginx-light", "libnginx-mod-nchan"]
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-qq", "-y", *packages], check=True)


def cpu_s(pids: Sequence[int]) -> float:
    """Processor time that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def private_bytes(pids: Sequence[int]) -> int:
    """Memory that is the processes' own."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1]) * 1024
    return total


def _listens(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/").status_code == 404
    except httpx.TransportError:
        return False


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]
