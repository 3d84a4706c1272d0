"""`longline worker` by the clock of `shifted` and with the engine of `engine`."""

import multiprocessing
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext


def warm_context() -> ForkServerContext:
    """As `forks.warm_context`, without the frameworks."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.warm"])
    forkserver.ensure_running()
    return context


if __name__ == "__main__":
    from service import config, logs
    from service.worker import entry, supervisor
    from tests.faults import engine, shifted

    logs.configure()
    shifted.shift()
    entry.enter = engine.enter  # by its importable name: the child is to find it
    supervisor.warm_context = warm_context
    supervisor.Supervisor(config.load()).run()
