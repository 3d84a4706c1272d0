"""A figure beside its peer's, with its goal, and how all of them are printed."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, ours and the peer's in the same unit, and what it should be.

    at_most, at_least: the goal for ours ÷ peer's; without a peer for ours itself.
    """

    row: str
    what: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    @property
    def met(self) -> bool | None:
        value = self.ours if self.theirs is None else self.ratio
        if value is None or (self.at_most is None and self.at_least is None):
            return None
        return (self.at_most is None or value <= self.at_most) and (
            self.at_least is None or value >= self.at_least
        )

    def cells(self) -> list[str]:
        goal = "" if self.at_most is None else f"≤ {self.at_most:g}"
        goal = goal if self.at_least is None else f"≥ {self.at_least:g}"
        return [
            self.row,
            self.what,
            shown(self.ours),
            self.peer,
            "" if self.theirs is None else shown(self.theirs),
            "" if self.ratio is None else f"{self.ratio:.2f}",
            goal,
            {None: "", True: "met", False: "MISSED"}[self.met],
        ]


HEADINGS = ["row", "figure", "ours", "peer", "peer's", "ratio", "goal", ""]


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def quantile(samples: Sequence[float], percent: int) -> float:
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]


def show(figures: Iterable[Figure]) -> str:
    """As a table in Markdown, which is also readable as it is."""
    cells = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])
