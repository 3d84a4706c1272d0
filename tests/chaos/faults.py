"""What goes wrong in a fault run. Each fault lasts for a while, and ends before the next begins."""

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.chaos.stage import DATABASE, Node, Stage, stopped

DAY_S = 86_400
LEASE_S = 3.0  # what the nodes are told
STALL_MAX_S = 2 * LEASE_S

Fault = Callable[["Faults"], None]


class Faults:
    """Draws one fault after the other until told to end."""

    def __init__(
        self, stage: Stage, seed: int, ending: threading.Event, *, outage_s: float, pause_s: float
    ) -> None:
        self.stage = stage
        self.chance = random.Random(seed)
        self.told: list[str] = []
        self._ending = ending
        self._outage_s = outage_s
        self._pause_s = pause_s

    def run(self) -> None:
        """Every kind once, in a drawn order, and then any."""
        kinds = list(FAULTS if self.stage.postgres is None else FAULTS + FAULTS_OF_POSTGRES)
        self.chance.shuffle(kinds)
        while not self._ending.is_set():
            fault = kinds.pop() if kinds else self.chance.choice(FAULTS)
            self.told.append(fault.__name__)
            fault(self)
            self.last(self._pause_s * self.chance.uniform(0.5, 1.5))

    def last(self, seconds: float) -> None:
        self._ending.wait(seconds)

    def node(self) -> Node:
        return self.chance.choice(self.stage.nodes)

    def outage(self) -> None:
        assert self.stage.postgres is not None
        self.stage.postgres.stop()
        self.last(self._outage_s)
        self.stage.postgres.start()


def kill(faults: Faults, name: str) -> None:
    node = faults.node()
    if name in node.processes:
        node.kill(name)
        node.start_again(name)


def kill_web(faults: Faults) -> None:
    kill(faults, "web")


def kill_worker(faults: Faults) -> None:
    kill(faults, "worker")


def kill_child(faults: Faults) -> None:
    for pid in faults.node().children()[:1]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def stall(faults: Faults, pids: list[int]) -> None:
    with stopped(pids):
        faults.last(faults.chance.uniform(1, STALL_MAX_S))


def stall_web(faults: Faults) -> None:
    stall(faults, faults.node().pids("web"))


def stall_worker(faults: Faults) -> None:
    """The supervisor alone, or with all that it runs: beyond its lease, they are zombies."""
    node = faults.node()
    children = node.children() if faults.chance.random() < 0.5 else []
    stall(faults, node.pids("worker") + children)


def stall_child(faults: Faults) -> None:
    stall(faults, faults.node().children()[:1])


def set_clock_back(faults: Faults) -> None:
    node = faults.node()
    node.clock.write_text(str(-DAY_S))
    faults.last(faults.chance.uniform(1, STALL_MAX_S))
    node.clock.write_text("0")


def end_connections(faults: Faults) -> None:
    assert faults.stage.postgres is not None
    faults.stage.postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", DATABASE
    )


def crash_postgres(faults: Faults) -> None:
    assert faults.stage.postgres is not None
    faults.stage.postgres.crash()
    faults.stage.postgres.start()


def restart_postgres(faults: Faults) -> None:
    assert faults.stage.postgres is not None
    faults.stage.postgres.stop()
    faults.stage.postgres.start()


def lose_postgres_for_long(faults: Faults) -> None:
    faults.outage()


FAULTS: list[Fault] = [
    kill_web, kill_worker, kill_child, stall_web, stall_worker, stall_child, set_clock_back,
]  # fmt: skip
FAULTS_OF_POSTGRES: list[Fault] = [
    end_connections, crash_postgres, restart_postgres, lose_postgres_for_long,
]  # fmt: skip
