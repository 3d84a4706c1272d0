"""Patience with a database that is away: what runs outlives an outage. Gives up nothing by itself."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from service.db import UNAVAILABLE, reason

RETRY_S = 0.5

Found = TypeVar("Found")

logger = logging.getLogger(__name__)


def until_answered(act: Callable[[], Found], *, check: Callable[[], None]) -> Found:
    """What `act` returns, which is tried until the database answers.

    act: whole transactions that may be repeated, also when the first one was committed after all.
    check: called before each further try, and raises when there shall be none.
    """
    while True:
        try:
            return act()
        except UNAVAILABLE as error:
            logger.warning("the database does not answer: %s", reason(error))
            time.sleep(RETRY_S)
            check()
