"""What goes wrong in a fault run. Each fault lasts for a while, and ends before the next begins."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.faults.stage import DATABASE, Node, Stage, stopped

DAY_S = 86_400


@dataclass(frozen=True)
class Lengths:
    """How long things last. stall_s: at most; beyond the lease of 3 s, who stalled is a zombie."""

    stall_s: float = 6.0
    outage_s: float = 40.0
    pause_s: float = 1.0


class Breaking:
    """Draws one fault after the other: every kind once, in a drawn order, and then any.

    In the main thread: a PostgreSQL server dies with the thread that started it.
    """

    def __init__(self, stage: Stage, seed: int, seconds: float, lengths: Lengths) -> None:
        self.stage = stage
        self.chance = random.Random(seed)
        self.lengths = lengths
        self.told: list[str] = []
        self._seconds = seconds

    def run(self) -> None:
        first = list(kinds(self.stage))
        again = [fault for fault in first if fault is not lose_postgres_for_long]
        self.chance.shuffle(first)
        end = time.monotonic() + self._seconds
        while first or time.monotonic() < end:
            fault = first.pop() if first else self.chance.choice(again)
            began = time.monotonic()
            self.told.append(fault.__name__)
            fault(self)
            self.told[-1] += f" {time.monotonic() - began:.1f} s"
            self.last(self.lengths.pause_s * self.chance.uniform(0.5, 1.5))

    def last(self, seconds: float) -> None:
        threading.Event().wait(seconds)

    def stall(self, pids: list[int]) -> None:
        with stopped(pids):
            self.last(self.chance.uniform(0.2, 1) * self.lengths.stall_s)

    def node(self) -> Node:
        return self.chance.choice(self.stage.nodes)

    def busy_node(self) -> Node:
        """One that runs something, if there is one."""
        busy = [node for node in self.stage.nodes if node.runs()]
        return self.chance.choice(busy or self.stage.nodes)

    def run_process(self) -> list[int]:
        runs = self.busy_node().runs()
        return [self.chance.choice(runs)] if runs else []

    def kill(self, node: Node, name: str) -> None:
        if name in node.processes:
            node.kill(name)
            node.start_again(name)


def kill_web(breaking: Breaking) -> None:
    breaking.kill(breaking.node(), "web")


def kill_worker(breaking: Breaking) -> None:
    breaking.kill(breaking.busy_node(), "worker")


def kill_child(breaking: Breaking) -> None:
    for pid in breaking.run_process():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def stall_web(breaking: Breaking) -> None:
    breaking.stall(breaking.node().pids("web"))


def stall_worker(breaking: Breaking) -> None:
    """The supervisor alone, or with all that it runs."""
    node = breaking.busy_node()
    runs = node.runs() if breaking.chance.random() < 0.5 else []
    breaking.stall(node.pids("worker") + runs)


def stall_child(breaking: Breaking) -> None:
    breaking.stall(breaking.run_process())


def set_clock_back(breaking: Breaking) -> None:
    node = breaking.node()
    node.clock.write_text(str(-DAY_S))
    breaking.last(breaking.chance.uniform(0.2, 1) * breaking.lengths.stall_s)
    node.clock.write_text("0")


def fill_disk(breaking: Breaking) -> None:
    disk = breaking.stage.disk
    disk.fill()
    breaking.last(breaking.lengths.stall_s / 2)
    disk.clear()
    if breaking.stage.postgres is not None:
        breaking.stage.revive_postgres()  # without room for its log it ends itself


def end_connections(breaking: Breaking) -> None:
    assert breaking.stage.postgres is not None
    breaking.stage.postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", DATABASE
    )


def crash_postgres(breaking: Breaking) -> None:
    assert breaking.stage.postgres is not None
    breaking.stage.postgres.crash()
    breaking.stage.postgres.start()


def restart_postgres(breaking: Breaking) -> None:
    assert breaking.stage.postgres is not None
    breaking.stage.postgres.stop()
    breaking.stage.postgres.start()


def lose_postgres_for_long(breaking: Breaking) -> None:
    assert breaking.stage.postgres is not None
    breaking.stage.postgres.stop()
    breaking.last(breaking.lengths.outage_s)
    breaking.stage.postgres.start()


Fault = Callable[[Breaking], None]

FAULTS: list[Fault] = [
    kill_web, kill_worker, kill_child, stall_web, stall_worker, stall_child, set_clock_back,
]  # fmt: skip
FAULTS_OF_POSTGRES: list[Fault] = [
    end_connections, crash_postgres, restart_postgres, lose_postgres_for_long,
]  # fmt: skip


def kinds(stage: Stage) -> list[Fault]:
    """What can go wrong here."""
    of_disk = [fill_disk] if stage.disk.has_an_end else []
    return [*FAULTS, *of_disk, *(FAULTS_OF_POSTGRES if stage.postgres else [])]
