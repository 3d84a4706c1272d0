"""Processes of one command: started together, started again when they die, stopped together."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import FrameType

import click

STOP_WITHIN_S = 28.0  # longer than the grace of gunicorn and of the worker; platforms give 30
RESTART_AFTER_S = 1.0  # a process that cannot start must not spin
PR_SET_PDEATHSIG = 1  # prctl(2)


class Processes:
    """Keeps one process per name running until it is told to stop.

    log: a file that what they print is appended to; without one it goes where ours goes.
    """

    def __init__(
        self,
        commands: Mapping[str, list[str]],
        environment: Mapping[str, str],
        log: Path | None = None,
    ) -> None:
        self._commands = commands
        self._environment = dict(environment)
        self._log = log
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._start_at: dict[str, float] = dict.fromkeys(commands, 0.0)
        self.stopping = False

    def stop_on_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def look(self) -> None:
        """Start what does not run. Call it often."""
        for name in self._commands:
            process = self._running.get(name)
            if process is not None and process.poll() is not None:
                click.echo(f"{name} ended with {process.returncode}; starting it again", err=True)
                del self._running[name]
                self._start_at[name] = time.monotonic() + RESTART_AFTER_S
            if name not in self._running and time.monotonic() >= self._start_at[name]:
                self._running[name] = self._start(name)

    def stop(self) -> None:
        """SIGTERM to all, and SIGKILL to those who have not gone in time."""
        for process in self._running.values():
            process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for process in self._running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        with nullcontext() if self._log is None else self._log.open("ab") as output:
            # A group of its own: a terminal's Ctrl-C reaches us alone, and we stop them in order.
            return subprocess.Popen(
                self._commands[name],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True


def _die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent is gone, however it went."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
