"""When an attempt has to be over: seen by the supervisor, moved by the child when a human allows more."""

import threading
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext

from service.agents.context import Interrupted

# The child asks before the supervisor acts; one that is too stuck to ask is stopped all the same.
ASK_GRACE_S = 5.0


class Deadline:
    """A moment of CLOCK_MONOTONIC, which is the same in all processes of a machine."""

    def __init__(self, context: ForkServerContext) -> None:
        """Never, until it is set."""
        self._at = context.RawValue("d", float("inf"))

    def set(self, seconds: float, *, asked: bool) -> None:
        """From now on. asked: a human will be, at the end of them."""
        self._at.value = time.monotonic() + seconds + (ASK_GRACE_S if asked else 0.0)

    @property
    def passed(self) -> bool:
        return bool(time.monotonic() >= self._at.value)

    def keep_asking(self, seconds: float, more: Callable[[float], float | None]) -> None:
        """In a thread of the child: at the end of its time, move the deadline to what `more` allows.

        more: takes the seconds that were allowed; returns the new number, None to stop.
        """
        started = time.monotonic()

        def keep() -> None:
            allowed: float | None = seconds
            while allowed is not None:
                threading.Event().wait(max(0.0, started + allowed - time.monotonic()))
                self._at.value = float("inf")  # while a human thinks, nothing runs out
                try:
                    allowed = more(allowed)
                except Interrupted:
                    return  # not because of the time: who ends the attempt says what becomes of it
                except BaseException:
                    self._at.value = 0.0
                    raise
                self._at.value = 0.0 if allowed is None else started + allowed + ASK_GRACE_S

        threading.Thread(target=keep, name="deadline", daemon=True).start()
