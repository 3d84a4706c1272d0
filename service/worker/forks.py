"""Where processes come from: forks of one that has imported the frameworks, and no more.

A fork from a process that has crewai's threads hangs.
"""

import multiprocessing
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess

from service import config
from service.worker import entry, surroundings

WARM = ["service.worker.cold", "service.worker.run", "service.agents.warm", "service.worker.warm"]
# Else the C library gives each of a run's threads memory of its own to allocate from.
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}


def warm_context() -> ForkServerContext:
    """Start the process that others are forked from; it is warm when `wait_until_warm` returns."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(WARM)
    _ensure_running()
    return context


def start(process: BaseProcess) -> None:
    """Fork one. What it is forked from is started anew, should it have died."""
    _ensure_running()
    process.start()


def wait_until_warm(context: ForkServerContext) -> None:
    """Block until a fork can be had at once. Raises RuntimeError when there will be none."""
    first = context.Process(target=entry.prove)
    start(first)
    first.join()
    if first.exitcode != 0:
        raise RuntimeError("the process that children are forked from did not start")


def _ensure_running() -> None:
    """It, and all that is forked from it, begins with an environment in which there is nothing secret.

    Python would start it anew by itself, but with what the worker knows.
    """
    own = config.environment()
    config.become(surroundings.of_nobody() | FEW_ARENAS)
    try:
        forkserver.ensure_running()
    finally:
        config.become(own)
