"""A run that says things in every way a process can, and then dies without a word to anybody."""

import logging
import os
import subprocess
import sys
import warnings
from typing import Any

from service.agents.context import MissionResult, RunContext

FLOOD = 20_000  # lines: more than a pipe holds, by far


def enter(*arguments: Any) -> None:
    """As `entry.enter`, with an engine that makes noise instead of running a crew."""
    from service.worker import run

    run.runner.run = make_noise
    run.main(*arguments)


def make_noise(context: RunContext, _settings: object) -> MissionResult:
    print("printed")
    print("printed to stderr", file=sys.stderr)
    os.write(1, b"written below Python\n")
    subprocess.run(["echo", "said by a child of its own"], check=True)
    logging.getLogger("a.library").warning("logged %s", "with arguments")
    logging.getLogger("a.library").info("key %s", os.environ["SOME_API_KEY"])
    warnings.warn("warned", stacklevel=1)
    print("ünïcödé ☀️ \udc80")
    print("no end of line", end="")
    if context.spec.title == "crash":
        sys.stdout.flush()
        os.abort()
    print()
    for n in range(FLOOD):
        print(f"line {n}")
    return MissionResult("quiet again")
