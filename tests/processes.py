"""Longline as users run it: real web and worker processes on a folder of their own, and their ends.

Only the model's endpoint is put in place. Waits for conditions with a deadline, never for a time.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from service.client import Client
from service.client.tls import TRUSTS_NOBODY

READY_WITHIN_S = 240.0  # on a busy machine the frameworks take a minute to import
GONE_WITHIN_S = 60.0
LOOK_S = 0.02  # at first; then a part of what has been waited, up to a most
LOOK_SHARE, LOOK_MAX_S = 0.05, 0.2

# Of httpx's calls that make a client each. By itself each reads all certificates of the machine, which
# takes 50 ms of CPU – of which a look every 20 ms would leave nothing – and nothing of ours speaks TLS.
NO_TLS = TRUSTS_NOBODY

# What a developer's own shell may hold, and what must not decide a test.
NOT_OURS = ("DATABASE_URL", "PORT", "OPENAI_BASE_URL", "OPENAI_API_KEY", "WEB_CONCURRENCY")


def until(look: Callable[[], Any], *, within_s: float = 60.0, what: str = "condition") -> Any:
    """What `look` returns as soon as it is true. Fails with `what` when the time is over."""
    began = time.monotonic()
    while True:
        found = look()
        if found:
            return found
        waited = time.monotonic() - began
        if waited > within_s:
            raise AssertionError(f"no {what} within {within_s:g} s; the last look gave {found!r}")
        time.sleep(min(max(LOOK_S, waited * LOOK_SHARE), LOOK_MAX_S))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Longline:
    """One web process and one worker. Each can be killed and started again by itself.

    environment: settings beyond the folder and the port, such as the model's endpoint.
    web_module, worker_module: what is run instead of `longline web` and `longline worker`.
    checkout: where the code is; this one's without.
    """

    def __init__(
        self,
        folder: Path,
        *,
        web_module: str | None = None,
        worker_module: str | None = None,
        checkout: Path | None = None,
        **environment: str,
    ) -> None:
        self.folder = folder
        self._checkout = checkout
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = Client(self.url)
        self._programs = {
            "web": [web_module] if web_module else ["service.cli", "web"],
            "worker": [worker_module] if worker_module else ["service.cli", "worker"],
            "sender": ["service.cli", "sender"],
        }
        self.environment = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
        self.environment |= {
            "LONGLINE_DATA": str(folder / "data"),
            "LONGLINE_PORT": str(self.port),
            **environment,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            self.start_missing()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()  # an idle connection would hold up the web process's end
        for name in list(self.processes):
            self.stop(name)

    def start_missing(self) -> None:
        missing = [name for name in ("web", "worker") if name not in self.processes]
        begun = {name: self.launch(name) for name in missing}
        for name, begin in begun.items():
            self._wait_for(name, begin)

    def start(self, name: str) -> None:
        """Start `web` or `worker`; returns when it is ready to serve or to claim."""
        self._wait_for(name, self.launch(name))

    def _wait_for(self, name: str, begin: int) -> None:
        ready = (
            self._web_is_ready if name == "web" else lambda: b"at once" in self.log(name)[begin:]
        )
        until(ready, within_s=READY_WITHIN_S, what=f"{name} that is ready")

    def launch(self, name: str) -> int:
        """Start `web`, `worker` or `sender` without waiting for it. Where its part of the log begins."""
        with (self.folder / f"{name}.log").open("ab") as log:
            begin = log.tell()
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *self._programs[name]],
                env=self.environment,
                cwd=self._checkout,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        return begin

    def kill(self, name: str) -> None:
        """kill -9: what a crash, an OOM killer or a platform does.

        Of the web, gunicorn's master and its worker; of the worker, the supervisor alone.
        """
        process = self.processes.pop(name)
        (os.killpg if name == "web" else os.kill)(process.pid, signal.SIGKILL)
        process.wait(GONE_WITHIN_S)

    def stop(self, name: str) -> None:
        """SIGTERM, and wait until it has gone."""
        process = self.processes.pop(name)
        process.terminate()
        process.wait(GONE_WITHIN_S)

    def log(self, name: str) -> bytes:
        return (self.folder / f"{name}.log").read_bytes()

    def events(self, mission_id: int, **parameters: Any) -> list[dict[str, Any]]:
        """A mission's events so far."""
        found: list[dict[str, Any]] = []
        after, more = 0, True
        while more:
            path = f"{self.url}/missions/{mission_id}/events"
            query = {"after": after, "wait": 0, **parameters}
            page = httpx.get(path, params=query, verify=NO_TLS).json()
            found += page["events"]
            after, more = page["next"], page["more"]
        return found

    def wait_for_status(self, mission_id: int, *statuses: str, within_s: float = 120.0) -> Any:
        """The mission, once it has one of these statuses."""

        def look() -> Any:
            mission = self.client.mission(mission_id)
            return mission if mission["status"] in statuses else None

        return until(look, within_s=within_s, what=f"mission that is {' or '.join(statuses)}")

    def wait_for_question(self, mission_id: int) -> Any:
        """The mission's open request, once there is one."""
        return until(lambda: self.client.pending(mission_id), what="question")[0]

    def _web_is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", verify=NO_TLS).is_success
        except httpx.TransportError:
            return False
