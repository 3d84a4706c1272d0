"""One run: subscribers of a side, a writer beside it, and what came of it."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.sides import Side, cpu_s
from tests.bench.table import quantile
from tests.processes import until

SOURCE = Path(__file__).parent / "client.c"
LOOK_S = 0.5
TOKEN_TEXT = (24,)  # bytes: a piece of text as the recorder joins it


@dataclass(frozen=True, slots=True)
class Load:
    """subscribers stand on missions; each mission has so many events, so many a second of each.

    skip: the first of them, which are not timed. sizes: of their texts, in turn. written: on how many
    of the missions something happens, where not on all. dial_per_s: how fast they come, 0 for as fast as
    they can.
    """

    subscribers: int
    missions: int
    events: int
    per_s: float
    skip: int = 10
    sizes: tuple[int, ...] = TOKEN_TEXT
    written: int | None = None
    patience_s: float = (
        60.0  # beyond the time that the writing takes: each first poll is parsed before
    )
    dial_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """What the client and the writer saw; latencies in ms.

    to_all: until the last subscriber had it. cpu_us: of the server's processes, per delivery.
    answers: in which they came. faults: lost, doubled, disordered.
    """

    p50: float
    p99: float
    max: float
    to_all: float
    deliveries: int
    answers: int
    faults: int
    cpu_us: float
    per_s: float
    append_p50: float
    append_p99: float
    late_ms: float


def compile_client(folder: Path) -> Path:
    program = folder / "client"
    subprocess.run(["gcc", "-O2", "-o", str(program), str(SOURCE)], check=True)
    return program


def run(side: Side, load: Load, program: Path, *, held: Callable[[], None] = lambda: None) -> Run:
    """held: called when all subscribers stand, and before anything is written."""
    with tempfile.TemporaryDirectory() as folder:
        lines, task = side.channels(load.missions)
        files = Path(folder)
        (files / "channels").write_text("\n".join(lines) + "\n")
        written = load.written or load.missions
        (files / "times").write_bytes(bytes(8 * written * load.events))
        task |= {"times": str(files / "times"), "events": load.events, "sizes": load.sizes}
        task |= {"channels": task["channels"][:written], "per_s": load.per_s * written}
        writer = start_writer(task)
        client = start_client(side, load, program, files)
        held()
        return _measure(side, client, writer)


def start_writer(task: dict[str, Any]) -> "subprocess.Popen[str]":
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.writer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert writer.stdin is not None
    writer.stdin.write(json.dumps(task) + "\n")
    expect(writer, "ready")
    return writer


def start_client(side: Side, load: Load, program: Path, files: Path) -> "subprocess.Popen[str]":
    deadline_s = load.events / load.per_s + load.patience_s
    written = load.written or load.missions
    arguments = [load.subscribers, files / "channels", written, load.events, load.skip, deadline_s]
    arguments += [load.dial_per_s, files / "times"]
    client = subprocess.Popen(
        [program, side.mode, "127.0.0.1", str(side.port), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )
    expect(client, "ready")
    # Where many are held, some are always on the way to their next poll.
    enough = load.subscribers * (1 if load.subscribers <= 10_000 else 0.99)

    # Not all the time: who asks how many there are takes the processor from those who come.
    pause_s = min(LOOK_S, load.subscribers / 20_000)

    def all_held() -> bool:
        time.sleep(pause_s)
        if client.poll() is not None:
            raise RuntimeError("the client gave up before all were held")
        held = side.held()
        return held is None or held >= enough

    until(all_held, within_s=600, what="held polls")
    return client


def _measure(side: Side, client: "subprocess.Popen[str]", writer: "subprocess.Popen[str]") -> Run:
    pids = side.pids()
    cpu, begin = cpu_s(pids), time.monotonic()
    assert writer.stdin is not None
    writer.stdin.write("go\n")
    seen = json.loads(client.communicate()[0])
    cpu, took_s = cpu_s(pids) - cpu, time.monotonic() - begin
    wrote = json.loads(writer.communicate()[0])
    return Run(
        seen["p50"],
        seen["p99"],
        seen["max"],
        seen["to_all"],
        seen["deliveries"],
        seen["answers"],
        seen["missing"] + seen["lost"] + seen["doubled"] + seen["bad"],
        cpu / max(1, seen["deliveries"]) * 1e6,
        seen["deliveries"] / took_s,
        quantile(wrote["took"], 50),
        quantile(wrote["took"], 99),
        wrote["late_ms"],
    )


def expect(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdout is not None
    got = process.stdout.readline().strip()
    if got != line:
        raise RuntimeError(f"{process.args}: {got!r}")
