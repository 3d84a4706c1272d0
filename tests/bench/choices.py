"""What two choices of the feed bring: to put a look off so that events share an answer, and gzip."""

import sys
import time
from pathlib import Path

from service.events.log import Head
from service.feed.answer import pack
from service.feed.page import Page, render
from tests.bench.running import Load, run
from tests.bench.sides import Ours
from tests.bench.table import Figure
from tests.bench.writer import message, text

CONF = Path(__file__).with_name("hasty_conf.py")
BURSTS = (Load(300, 1, 600, 200, skip=50), Load(1000, 1, 250, 50, skip=25))
GZIPPED_BYTES = (256, 512, 1024, 2048, 8192, 32_768, 131_072)
TEXT_BYTES = (24,)
TIMES = 200


class Hasty(Ours):
    """Ours without lingering."""

    name = "ours, not lingering"

    def _command(self) -> list[str]:
        gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(CONF)]
        return [*gunicorn, "service.app:create_app()"]


def linger(folder: Path, program: Path) -> list[Figure]:
    figures = []
    for load in BURSTS:
        row, found = f"lingering, {load.subscribers:,} × {load.per_s:g}/s", []
        for kind in (Ours, Hasty):
            with kind(folder / f"linger-{kind.__name__}-{load.subscribers}") as side:
                found.append(run(side, load, program))
        ours, hasty = found
        shares = [one.deliveries / one.answers for one in found]
        figures += [
            Figure(row, "events an answer", shares[0], "without", shares[1]),
            Figure(row, "CPU µs/delivery", ours.cpu_us, "without", hasty.cpu_us),
            Figure(row, "p50 ms", ours.p50, "without", hasty.p50),
            Figure(row, "p99 ms", ours.p99, "without", hasty.p99),
        ]
    return figures


def gzip(_folder: Path, _program: Path) -> list[Figure]:
    """Down to which speed of a client's line the time to pack an answer is less than what it saves.

    The time is for one client alone; the packed answer is shared by all who get it.
    """
    return [figure for size in GZIPPED_BYTES for figure in _gzip(size)]


def _gzip(size: int) -> list[Figure]:
    events: list[str] = []
    while len(body := render(Page(Head("k3v9x2", 57, 1), tuple(events), 57), "events")) < size:
        number = len(events) + 1
        events.append(message(7, number, text(number, list(TEXT_BYTES))).decode())
    begin = time.perf_counter()
    for _ in range(TIMES):
        packed = pack(body)
    took_us = (time.perf_counter() - begin) / TIMES * 1e6
    row = f"gzip, answer of {len(body):,} bytes"
    return [
        Figure(row, "bytes", len(packed), "as it is", len(body)),
        Figure(row, "µs to pack", took_us),
        Figure(row, "pays below, Mbit/s", (len(body) - len(packed)) * 8 / took_us),
    ]
