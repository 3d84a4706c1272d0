"""The rows of the table: each sets two sides side by side and says what is to be compared."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench import choices, ending, quiet
from tests.bench.many import hundred_thousand
from tests.bench.running import Load, Run, run
from tests.bench.sides import (
    BehindKeptNginx,
    BehindNginx,
    Nchan,
    Ours,
    Side,
    Stock,
    WebSockets,
    install_nchan,
    private_bytes,
)
from tests.bench.table import Figure

SIZES = (
    20,
    45,
    80,
    160,
    300,
    700,
    2000,
)  # bytes: a token, a sentence, a paragraph, a tool's output

ONE = Load(1, 1, 500, 100, skip=50)
HUNDRED = Load(100, 1, 250, 50, skip=25)
THOUSAND = Load(1000, 1, 250, 50, skip=25)
MISSIONS = Load(1000, 100, 100, 20, skip=10)
TEN_THOUSAND = Load(10_000, 1, 6, 1, skip=1, patience_s=30)
QUIET = Load(300, 1, 100, 10)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a run happens: a folder of its own, and the compiled client."""

    folder: Path
    program: Path

    @contextmanager
    def sides(self, *kinds: type[Side]) -> Iterator[list[Side]]:
        """Servers of these kinds, started; none of them does anything until it is asked."""
        with ExitStack() as stack:
            count = len(list(self.folder.iterdir()))
            folders = [self.folder / f"{count}-{kind.__name__}" for kind in kinds]
            for folder in folders:
                folder.mkdir()
                folder.chmod(0o777)  # nginx's children are somebody else
            pairs = zip(kinds, folders, strict=True)
            yield [stack.enter_context(kind(folder)) for kind, folder in pairs]

    def runs(self, load: Load, *kinds: type[Side]) -> list[Run]:
        """The same load on each, one after the other."""
        with self.sides(*kinds) as sides:
            return [run(side, load, self.program) for side in sides]


def one(bench: Bench) -> list[Figure]:
    ours, websocket, nchan = bench.runs(ONE, Ours, WebSockets, Nchan)
    row = "1 subscriber"
    return [
        Figure(row, "p50 ms", ours.p50, at_most=0.6),
        Figure(row, "p50 ms", ours.p50, "WebSocket", websocket.p50, at_most=2),
        Figure(row, "p50 ms", ours.p50, "nchan", nchan.p50, at_most=1.5),
        Figure(row, "p99 ms", ours.p99, "WebSocket", websocket.p99),
        _faults(row, ours),
    ]


def hundred(bench: Bench, sizes: tuple[int, ...] | None = None) -> list[Figure]:
    load = replace(HUNDRED, sizes=sizes) if sizes else HUNDRED
    ours, websocket, nchan = bench.runs(load, Ours, WebSockets, Nchan)
    row = "100 × 50/s" + (", 20–2,000 bytes" if sizes else "")
    return [
        Figure(row, "p50 ms", ours.p50, "WebSocket", websocket.p50, at_most=1.1),
        Figure(row, "p99 ms", ours.p99, "WebSocket", websocket.p99),
        Figure(row, "CPU µs/delivery", ours.cpu_us, "WebSocket", websocket.cpu_us, at_most=1.1),
        Figure(row, "p50 ms", ours.p50, "nchan", nchan.p50),
        _faults(row, ours),
    ]


def thousand(bench: Bench, sizes: tuple[int, ...] | None = None) -> list[Figure]:
    load = replace(THOUSAND, sizes=sizes) if sizes else THOUSAND
    ours, websocket, nchan = bench.runs(load, Ours, WebSockets, Nchan)
    row = "1,000 × 50/s" + (", 20–2,000 bytes" if sizes else "")
    return [
        # The run begins before the first event and ends behind the last.
        Figure(row, "deliveries/s", ours.per_s, at_least=0.95 * 50_000),
        Figure(row, "p50 ms", ours.p50, "WebSocket", websocket.p50, at_most=0.7),
        Figure(row, "p99 ms", ours.p99, "WebSocket", websocket.p99, at_most=1.2),
        Figure(row, "CPU µs/delivery", ours.cpu_us, "WebSocket", websocket.cpu_us),
        Figure(row, "p50 ms", ours.p50, "nchan", nchan.p50),
        _faults(row, ours),
    ]


def missions(bench: Bench) -> list[Figure]:
    ours, websocket = bench.runs(MISSIONS, Ours, WebSockets)
    row = "100 missions × 10 × 20/s"
    return [
        Figure(row, "p50 ms", ours.p50, "WebSocket", websocket.p50, at_most=1.5),
        Figure(row, "p99 ms", ours.p99, "WebSocket", websocket.p99, at_most=3),
        Figure(row, "one append, p50 ms", ours.append_p50),
        Figure(row, "one append, p99 ms", ours.append_p99),
        _faults(row, ours),
    ]


def ten_thousand(bench: Bench) -> list[Figure]:
    row, found, memory = "10,000 held", {}, {}
    for kind in (Ours, WebSockets, Nchan):
        with bench.sides(kind) as (side,):
            before = private_bytes(side.pids())
            used: list[int] = []
            found[kind] = run(
                side,
                TEN_THOUSAND,
                bench.program,
                held=lambda side=side, used=used: used.append(private_bytes(side.pids())),
            )
            memory[kind] = (used[0] - before) / TEN_THOUSAND.subscribers
    ours, websocket, nchan = found.values()
    return [
        Figure(row, "bytes each", memory[Ours], at_most=2000),
        Figure(row, "bytes each", memory[Ours], "WebSocket", memory[WebSockets]),
        Figure(row, "bytes each", memory[Ours], "nchan", memory[Nchan]),
        Figure(row, "one event to all, ms", ours.to_all, "nchan", nchan.to_all, at_most=1.1),
        Figure(
            row, "one event to all, ms", ours.to_all, "WebSocket", websocket.to_all, at_most=0.8
        ),
        _faults(row, ours),
    ]


def cpu(bench: Bench) -> list[Figure]:
    ours, stock = bench.runs(QUIET, Ours, Stock)
    row = "300 × 10/s"
    return [
        Figure(row, "CPU µs/delivery", ours.cpu_us, "our Flask path", stock.cpu_us, at_most=1 / 8),
        Figure(row, "p50 ms", ours.p50, "our Flask path", stock.p50),
    ]


def nginx(bench: Bench) -> list[Figure]:
    direct, kept, default = bench.runs(HUNDRED, Ours, BehindKeptNginx, BehindNginx)
    row = "through nginx, 100 × 50/s"
    return [
        Figure(row, "p50 ms, connections kept", kept.p50, "direct", direct.p50, at_most=2),
        Figure(row, "p99 ms, connections kept", kept.p99, "direct", direct.p99),
        Figure(row, "p50 ms, nginx's defaults", default.p50, "direct", direct.p50, at_most=2),
        _faults(row, kept),
    ]


def text_hundred(bench: Bench) -> list[Figure]:
    return hundred(bench, SIZES)


def text_thousand(bench: Bench) -> list[Figure]:
    return thousand(bench, SIZES)


def held_100k(bench: Bench) -> list[Figure]:
    return hundred_thousand(bench.folder, bench.program)


def idle(bench: Bench) -> list[Figure]:
    return quiet.quiet(bench.folder, bench.program)


def linger(bench: Bench) -> list[Figure]:
    return choices.linger(bench.folder, bench.program)


def gzip(bench: Bench) -> list[Figure]:
    return choices.gzip(bench.folder, bench.program)


def drain(bench: Bench) -> list[Figure]:
    return ending.drain(bench.folder)


def _faults(row: str, ours: Run) -> Figure:
    return Figure(row, "lost, doubled, disordered", ours.faults, at_most=0)


DELIVERY: dict[str, Callable[[Bench], list[Figure]]] = {
    "one": one,
    "hundred": hundred,
    "thousand": thousand,
    "missions": missions,
    "held": ten_thousand,
    "cpu": cpu,
    "nginx": nginx,
    "text100": text_hundred,
    "text1000": text_thousand,
    "idle": idle,
    "linger": linger,
    "gzip": gzip,
    "drain": drain,
    "held100k": held_100k,
}

__all__ = ["DELIVERY", "Bench", "install_nchan"]
