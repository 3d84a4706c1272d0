"""Processes that run at the same time, each with its own way to the database, and can be killed."""

import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

# Each child is forked from a clean process that has imported what they need: no connection of
# ours is carried over, and none pays for the imports.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", "tests.contract.given"])

DEADLINE_S = 60.0

Job = tuple[Any, ...]  # a function and its arguments


def run_together(jobs: Sequence[Job]) -> list[Any]:
    """Run every job in a process of its own, all beginning at once. Their results, in order."""
    barrier = CONTEXT.Barrier(len(jobs))
    deadline = time.monotonic() + DEADLINE_S
    children = [_start(_report, barrier, *job) for job in jobs]
    try:
        return [_result(pipe, deadline) for _process, pipe in children]
    finally:
        for process, pipe in children:
            _stop(process, pipe)


@contextmanager
def started(
    function: Callable[..., None], *arguments: Any
) -> Iterator[tuple[BaseProcess, Connection]]:
    """A process that runs function(pipe, *arguments), and our end of the pipe. Killed at the end."""
    process, pipe = _start(function, *arguments)
    try:
        yield process, pipe
    finally:
        _stop(process, pipe)


def receive(pipe: Connection) -> Any:
    """What the process sent next; waits for it."""
    assert pipe.poll(DEADLINE_S), "the process sent nothing"
    return pipe.recv()


def _start(function: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=function, args=(theirs, *arguments))
    process.start()
    theirs.close()
    return process, ours


def _stop(process: BaseProcess, pipe: Connection) -> None:
    process.kill()
    process.join()
    process.close()
    pipe.close()


def _report(pipe: Connection, barrier: Any, function: Callable[..., Any], *arguments: Any) -> None:
    try:
        barrier.wait(DEADLINE_S)
        pipe.send((True, function(*arguments)))
    except Exception:  # noqa: BLE001 (the parent raises it)
        pipe.send((False, traceback.format_exc()))


def _result(pipe: Connection, deadline: float) -> Any:
    assert pipe.poll(max(0.0, deadline - time.monotonic())), "a process is not done in time"
    good, value = pipe.recv()
    assert good, value
    return value
