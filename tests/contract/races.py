"""Threads that do something at the same moment, as the greenlets and the workers of a server do."""

import threading
from collections.abc import Callable

from service.errors import LeaseLost, Problem


def race(*racers: Callable[[], object]) -> list[LeaseLost | Problem | None]:
    """Run all at once, each in a thread. What each was refused with, None for who got through."""
    start = threading.Barrier(len(racers))
    refusals: list[LeaseLost | Problem | None] = [None] * len(racers)

    def run(place: int, racer: Callable[[], object]) -> None:
        start.wait()
        try:
            racer()
        except (LeaseLost, Problem) as refusal:
            refusals[place] = refusal

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refusals
