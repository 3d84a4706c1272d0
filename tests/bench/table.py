"""A row of figures and how it is printed: the measured, the baseline, and their ratio."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """Samples of one figure, in milliseconds, and the samples of what it is compared with."""

    name: str
    samples: Sequence[float]
    baseline_name: str
    baseline: Sequence[float]

    def row(self) -> list[str]:
        p50, base = statistics.median(self.samples), statistics.median(self.baseline)
        return [
            self.name,
            str(len(self.samples)),
            f"{p50:.2f}",
            f"{quantile(self.samples, 99):.2f}",
            self.baseline_name,
            f"{base:.2f}",
            f"{p50 / base:.2f}",
        ]


HEADINGS = ["measured", "n", "p50 ms", "p99 ms", "baseline", "p50 ms", "ratio"]


def quantile(samples: Sequence[float], percent: int) -> float:
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]


def show(rows: Sequence[Measured]) -> str:
    """The rows as a table of aligned columns."""
    cells = [HEADINGS, *(row.row() for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )
