"""A hundred thousand held polls on ten thousand missions, in as many web processes as open files allow."""

import json
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.bench.running import Load, start_client, start_writer
from tests.bench.sides import Ours, cpu_s, private_bytes
from tests.bench.table import Figure

HELD, MISSIONS = 100_000, 10_000
WRITTEN, EVENTS, PER_S = 200, 2, 0.25  # 50 events a second, on some of the missions
SPARE_FILES = 1_000
LEAST_FILES = 10_000  # in one process: more than ten of those are no measure for two cores
HELD_WITHIN_S = 600.0
DIAL_PER_S = (
    1_000.0  # of all together: two cores serve them beside all that are held, and the clients
)


def hundred_thousand(folder: Path, program: Path) -> list[Figure]:
    """Subscribers of a mission stand in different processes, as behind a load balancer."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (most + SPARE_FILES, most + SPARE_FILES))
    if most < LEAST_FILES:
        print(f"held100k is left out: only {most + SPARE_FILES} files may be open", file=sys.stderr)
        return []
    count = -(-HELD // most)
    with ExitStack() as stack:
        data = folder / "many"
        servers = [
            stack.enter_context(Ours(folder / f"many-{number}", data / "data"))
            for number in range(count)
        ]
        pids = [pid for server in servers for pid in server.pids()]
        return _measure(servers, program, pids)


def _load(each: int, servers: int) -> Load:
    return Load(
        each,
        MISSIONS,
        EVENTS,
        PER_S,
        skip=0,
        written=WRITTEN,
        patience_s=HELD_WITHIN_S,
        dial_per_s=DIAL_PER_S / servers,
    )


def _measure(servers: list[Ours], program: Path, pids: list[int]) -> list[Figure]:
    each = HELD // len(servers)
    load = _load(each, len(servers))
    lines, task = servers[0].channels(MISSIONS)
    with tempfile.TemporaryDirectory() as name:
        files = Path(name)
        (files / "channels").write_text("\n".join(lines) + "\n")
        (files / "times").write_bytes(bytes(8 * WRITTEN * EVENTS))
        task |= {"times": str(files / "times"), "events": EVENTS, "sizes": load.sizes}
        task |= {"channels": task["channels"][:WRITTEN], "per_s": PER_S * WRITTEN}
        writer = start_writer(task)
        memory, cpu, begin = private_bytes(pids), cpu_s(pids), time.monotonic()
        with ThreadPoolExecutor(len(servers)) as pool:
            starts = [pool.submit(start_client, s, load, program, files) for s in servers]
        clients = [start.result() for start in starts]
        took_s, cpu = time.monotonic() - begin, cpu_s(pids) - cpu
        memory = private_bytes(pids) - memory
        held = sum(server.held() or 0 for server in servers)
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        seen = [json.loads(client.communicate()[0]) for client in clients]
        writer.communicate()
    row = f"{HELD:,} held, {len(servers)} processes"
    faults = sum(one["missing"] + one["lost"] + one["doubled"] + one["bad"] for one in seen)
    return [
        Figure(row, "held", held, at_least=0.99 * HELD),
        Figure(row, "until all were held, s", took_s),
        Figure(row, "CPU µs each, till then", cpu / (each * len(servers)) * 1e6),
        Figure(row, "bytes each", memory / (each * len(servers))),
        Figure(row, "to a mission's ten, p50 ms", max(one["p50"] for one in seen), at_most=2),
        Figure(row, "to a mission's ten, p99 ms", max(one["p99"] for one in seen)),
        Figure(row, "lost, doubled, disordered", faults, at_most=0),
        Figure(row, "connections that ended", sum(one["reconnects"] for one in seen), at_most=0),
    ]
