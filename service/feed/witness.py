"""Who is told what the feed does, to count it. The feed itself knows no metrics."""

from typing import Protocol


class Witness(Protocol):
    """Called by the watcher, for each thing at once: has to be quick, and must not fail."""

    def woken(self, *, found: bool) -> None:
        """The database was looked at for those who wait. found: there was something for somebody."""

    def delivered(self, late_s: float) -> None:
        """A group of held polls was answered, this long after the newest event of it happened."""

    def holding(self, count: int) -> None:
        """So many polls are held now."""

    def polled(self, reason: str, held_s: float) -> None:
        """A poll was answered that no view of the application has seen the end of."""


class Nobody:
    """For feeds whose doings nobody counts."""

    def woken(self, *, found: bool) -> None:
        """Nothing."""

    def delivered(self, late_s: float) -> None:
        """Nothing."""

    def polled(self, reason: str, held_s: float) -> None:
        """Nothing."""

    def holding(self, count: int) -> None:
        """Nothing."""
