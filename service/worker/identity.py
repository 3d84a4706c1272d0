"""Who a worker is: a name for its leases, and how a neighbour can tell whether it is alive."""

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """A worker process. host names the table in which pid and pid_started mean something."""

    id: str
    host: str
    pid: int
    pid_started: int


def own() -> Identity:
    pid = os.getpid()
    name = f"{socket.gethostname()}-{pid}-{secrets.token_hex(4)}"
    return Identity(name, host(), pid, started(pid) or 0)


def host() -> str:
    """This machine's process table: boot and pid namespace, for containers share a boot."""
    boot = _read(Path("/proc/sys/kernel/random/boot_id")) or "unknown-boot"
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = "no-namespace"
    return f"{socket.gethostname()}/{boot.strip()}/{namespace}"


def started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when there is no such process.

    Tells a process from a later one that was given the same number. Source: proc(5), field 22.
    """
    stat = _read(Path(f"/proc/{pid}/stat"))
    if stat is None:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return None if state == "Z" else int(fields[18])


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
