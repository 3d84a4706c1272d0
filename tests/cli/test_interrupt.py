"""Ctrl-C ends a command, whatever became of the exception."""

import signal
import subprocess
import sys

import pytest

from tests.cli.terminal import environment

SWALLOWS = """
import time
from service.cli.outcome import told
with told():
    while True:
        try:
            print("waits", flush=True)
            time.sleep(600)
        except KeyboardInterrupt:
            pass
"""

HANGS = """
import threading
from service.cli.outcome import told
lock = threading.Lock()
with told():
    try:
        print("waits", flush=True)
        threading.Event().wait(600)
    except BaseException:
        lock.acquire()
        lock.acquire()
"""


@pytest.mark.parametrize("program", [SWALLOWS, HANGS], ids=["swallows", "hangs"])
def test_a_command_that_does_not_unwind_is_ended(program: str) -> None:
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waits\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
