"""How much one caller may ask of one web process. Counts in memory: a restart forgives everybody.

Open loopback, which has one user and no token, is not limited by token. What is limited for a whole
workspace is counted in the database: see `missions.admission`.
"""

import time
from collections.abc import Hashable
from dataclasses import dataclass

from service.config import Settings
from service.errors import Problem

BURST_S = 10.0  # what was not asked for during so many seconds may be asked for at once
LOGINS_AT_ONCE, LOGINS_PER_S = 20.0, 1 / 6
# One client that asks for the same page over and over, told from its fellows by its connection; and
# all clients of a token, for proxies share connections. Many that start together are no loop.
STILL_AT_ONCE, STILL_PER_S = 100.0, 10.0
STILL_ALL_AT_ONCE, STILL_ALL_PER_S = 10_000.0, 100.0
SLOWED_BY_S = 1.0
KEYS_KEPT = 10_000


class Allowance:
    """So much at once, and so much per second from then on, for each of many callers."""

    def __init__(self, *, at_once: float, per_s: float) -> None:
        self._at_once = at_once
        self._per_s = per_s
        self._left: dict[Hashable, tuple[float, float]] = {}
        self._tidy_at = KEYS_KEPT

    def take(self, key: Hashable) -> float:
        """Use one up. Seconds until there is one, 0 when there was."""
        now = time.monotonic()
        if len(self._left) >= self._tidy_at:
            self._forget_the_quiet(now)
        left = self._now_left(key, now)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        return 0.0 if left >= 1 else (1 - left) / self._per_s

    def _now_left(self, key: Hashable, now: float) -> float:
        left, at = self._left.get(key, (self._at_once, now))
        return min(self._at_once, left + (now - at) * self._per_s)

    def _forget_the_quiet(self, now: float) -> None:
        """Drop those who have all of it again: as good as never seen."""
        keep = {k: v for k, v in self._left.items() if self._now_left(k, now) < self._at_once}
        self._left = keep
        self._tidy_at = max(KEYS_KEPT, 2 * len(keep))


@dataclass(slots=True)
class Limits:
    """The counts of one web process."""

    requests: Allowance
    logins: Allowance
    still: Allowance
    still_all: Allowance

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            requests=Allowance(
                at_once=settings.requests_per_s * BURST_S, per_s=settings.requests_per_s
            ),
            logins=Allowance(at_once=LOGINS_AT_ONCE, per_s=LOGINS_PER_S),
            still=Allowance(at_once=STILL_AT_ONCE, per_s=STILL_PER_S),
            still_all=Allowance(at_once=STILL_ALL_AT_ONCE, per_s=STILL_ALL_PER_S),
        )

    def count_request(self, token_id: str | None) -> None:
        """Raises Problem too_many_requests."""
        if token_id is not None:
            _refuse("too_many_requests", self.requests.take(token_id))

    def count_login(self, address: str) -> None:
        """Raises Problem too_many_attempts, also for the right token: guessing must not pay."""
        _refuse("too_many_attempts", self.logins.take(address))

    def slow_down(self, question: Hashable, connection: Hashable) -> float:
        """Seconds to make a client wait that gets the same answer to the same question again."""
        alone = self.still.take((question, connection))
        together = self.still_all.take(question)
        return SLOWED_BY_S if alone or together else 0.0


def _refuse(code: str, retry_s: float) -> None:
    if retry_s:
        raise Problem(code, retry_s=max(1, round(retry_s)))
