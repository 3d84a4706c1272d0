"""Ten thousand held polls and nothing happens: what the web process does meanwhile."""

import json
import tempfile
import time
from pathlib import Path

from tests.bench.running import Load, start_client, start_writer
from tests.bench.sides import Ours, cpu_s
from tests.bench.table import Figure

HELD = 10_000
# Two events: behind the first all ask again at one moment, so that a while follows in which no poll's
# time is over; then all of their times are, and all ask once more. The second event ends the run.
APART_S = 45.0
SETTLES_S = 5.0
QUIET_S = 14.0
ROUND_S = 24.0  # between two questions of a client that waits for 25 s
LOAD = Load(HELD, 1, 2, 1 / APART_S, skip=0, patience_s=60.0)


def quiet(folder: Path, program: Path) -> list[Figure]:
    with Ours(folder / "quiet") as side, tempfile.TemporaryDirectory() as name:
        files = Path(name)
        lines, task = side.channels(1)
        (files / "channels").write_text("\n".join(lines) + "\n")
        (files / "times").write_bytes(bytes(8 * LOAD.events))
        task |= {"times": str(files / "times"), "events": LOAD.events, "sizes": LOAD.sizes}
        writer = start_writer(task | {"per_s": LOAD.per_s})
        client = start_client(side, LOAD, program, files)
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        time.sleep(SETTLES_S)
        idle_s = _spent(side, QUIET_S)
        round_s = _spent(side, APART_S - SETTLES_S - QUIET_S - 2)
        seen = json.loads(client.communicate()[0])
        writer.communicate()
    row = f"{HELD:,} held, nothing happens"
    faults = seen["missing"] + seen["lost"] + seen["doubled"] + seen["bad"]
    return [
        Figure(row, "% of a core", 100 * idle_s / QUIET_S, at_most=0.5),
        Figure(row, "with a new poll of each in 24 s, %", 100 * round_s / ROUND_S),
        Figure(row, "lost, doubled, disordered", faults, at_most=0),
    ]


def _spent(side: Ours, seconds: float) -> float:
    """Processor time in the next seconds."""
    before = cpu_s(side.pids())
    time.sleep(seconds)
    return cpu_s(side.pids()) - before
