"""How long this process waits for a client, or lets one wait. Beside held polls: those end by events."""

from collections.abc import Iterator
from contextlib import contextmanager

import gevent


class TooSlow(Exception):
    """What a client was to send did not come in time."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TooSlow where the block waits on a socket past its time, however the bytes trickle in."""
    timeout = gevent.Timeout(seconds)
    timeout.start()
    try:
        yield
    except gevent.Timeout as late:
        if late is not timeout:
            raise
        raise TooSlow from None
    finally:
        timeout.close()


def pause(seconds: float) -> None:
    """Let everybody else go first."""
    gevent.sleep(seconds)
