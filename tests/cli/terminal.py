"""Commands as a person has them: on a pseudo-terminal, typed into; or as a script has them: in pipes."""

import errno
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Self

from tests.processes import NOT_OURS, until

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def environment(**given: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k not in (*NOT_OURS, "LONGLINE_TOKEN")}
    return inherited | {"TERM": "xterm-256color", "COLUMNS": "100"} | given


def piped(
    *arguments: str, stdin: str = "", env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """A command between pipes, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        input=stdin, env=dict(env), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments: str, env: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", *arguments],
            stdin=slave, stdout=slave, stderr=slave, env=dict(env), start_new_session=True,
            preexec_fn=_take_terminal,
        )  # fmt: skip
        os.close(slave)
        self.raw = ""
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._thread.join()
        os.close(self._master)

    @property
    def text(self) -> str:
        """What was shown, without colours and cursor movements."""
        return ESCAPES.sub("", self.raw).replace("\r\n", "\n")

    def wait_for(self, text: str) -> None:
        until(lambda: text in self.text, what=f"{text!r} on the terminal: {self.text[-2000:]}")

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def ended(self) -> int:
        """The exit code, once the command has ended and all that it wrote was read."""
        code = self.process.wait(30)
        self._thread.join(10)
        return code

    def _read(self) -> None:
        while True:
            try:
                content = os.read(self._master, 65536)
            except OSError as error:
                if error.errno == errno.EIO:  # nobody has the other end any more
                    return
                raise
            self.raw += content.decode(errors="replace")


def _take_terminal() -> None:
    """Make the terminal the session's own, so that Ctrl-C typed into it is a signal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
