"""How a command ends: exit codes, the same for all commands, so that scripts can tell outcomes apart."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType

import click
import httpx

from service.client import ApiError, LongPollError

TIDIED_WITHIN_S = 3.0  # after Ctrl-C


class Exit(IntEnum):
    """0 is done, or a mission that completed."""

    ERROR = 1
    USAGE = 2  # click's own
    FAILED = 3
    CANCELLED = 4
    TIMEOUT = 5
    QUESTION = 6  # a mission waits for an answer that nobody here gives
    INTERRUPTED = 130  # what shells expect after Ctrl-C


HELP = """\b
Exit codes:
  0  the mission completed          4  it was cancelled
  1  an error: no server, refused   5  --timeout is over; the mission goes on
  2  wrong usage or settings        6  it asks, and --no-input was given
  3  the mission failed           130  Ctrl-C; the mission goes on
"""

BY_STATUS = {"completed": 0, "failed": Exit.FAILED, "cancelled": Exit.CANCELLED}


class Refused(click.ClickException):
    """The server said no, or there is none."""

    exit_code = Exit.ERROR


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """Ctrl-C ends the process: by KeyboardInterrupt, and at once when nothing has come of that.

    Python may drop the exception (in a finalizer) or hang behind it (on a lock whose holder it left).
    """
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGALRM, lambda *_: os._exit(Exit.INTERRUPTED))
    signal.setitimer(signal.ITIMER_REAL, TIDIED_WITHIN_S)
    raise KeyboardInterrupt


@contextmanager
def told() -> Iterator[None]:
    """Whatever a server and a network can do, as a sentence and an exit code."""
    try:
        with ended_by_ctrl_c():
            yield
    except ApiError as error:
        raise Refused(_sentence(error)) from None
    except LongPollError as error:
        raise Refused(f"{error} Follow again with --after 0.") from None
    except TimeoutError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(Exit.TIMEOUT) from None
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Refused(_silence(error)) from None
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED) from None


def _silence(error: Exception) -> str:
    """Names the address: it may be the default, because LONGLINE_URL was not set."""
    request = getattr(error, "_request", None)  # the property raises where there is none
    where = f" at {request.url.copy_with(raw_path=b'/')}" if request is not None else ""
    return f"The server{where} does not answer ({type(error).__name__}). LONGLINE_URL names it."


def _sentence(error: ApiError) -> str:
    hint = "  Set LONGLINE_TOKEN." if error.status == 401 else ""
    places = [
        f"\n  {place.get('pointer') or place.get('parameter')}: {place.get('detail')}"
        for place in error.body.get("errors", [])
    ]
    return f"{error.code}: {error.detail}{hint}{''.join(places)}"
