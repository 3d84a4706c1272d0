"""Durations counted in buckets, so that counts of several processes can be added up. Measures nothing."""

from collections.abc import Iterator, MutableSequence
from itertools import accumulate

# Upper ends; one more bucket takes what is longer.
ENDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SIZE = len(ENDS_S) + 2  # the buckets, and the sum of all durations

Counts = MutableSequence[float]


def none() -> list[float]:
    return [0.0] * SIZE


def count(counts: Counts, seconds: float) -> None:
    """Put one duration into its bucket."""
    place = sum(1 for end in ENDS_S if seconds > end)
    counts[place] += 1
    counts[-1] += seconds


def added(*several: Counts) -> list[float]:
    return [sum(column) for column in zip(*several, strict=True)]


def cumulative(counts: Counts) -> Iterator[tuple[str, float]]:
    """Each end with how many were no longer: as Prometheus has its histograms."""
    ends = [*map(str, ENDS_S), "+Inf"]
    yield from zip(ends, accumulate(counts[:-1]), strict=True)
