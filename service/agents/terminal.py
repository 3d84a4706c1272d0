"""The terminal that no run has: what code asks there becomes a request, with what was printed before.

Covers input(), sys.stdin and what reads from it. Passwords are refused: answers are stored.
"""

import builtins
import getpass
import io
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TextIO

from service.agents.guard import GuardedContext
from service.agents.tools.tool import Place
from service.requests.question import Question

LINES_SHOWN = 40  # of what was printed since the last question
NO_PROMPT = "The code asks for a line of input."
NO_PASSWORD = "A run asks nobody for a password: the answer would be stored. Set it in .env."  # noqa: S105


class Transcript(io.TextIOBase):
    """A stdout that remembers its newest lines, and is in all else the one that it stands for."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout
        self._lines: deque[str] = deque([""], maxlen=LINES_SHOWN)

    def write(self, text: str) -> int:
        first, *more = text.split("\n")
        self._lines[-1] += first
        self._lines.extend(more)
        return self._stdout.write(text)

    def flush(self) -> None:
        self._stdout.flush()

    def fileno(self) -> int:
        return self._stdout.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stdout.encoding

    def taken(self) -> list[str]:
        """What was printed since this was called last, without empty lines at its ends."""
        text = "\n".join(self._lines).strip()
        self._lines.clear()
        self._lines.append("")
        return text.splitlines()


class Keyboard(io.TextIOBase):
    """A stdin whose every line is an answer."""

    encoding = "utf-8"

    def __init__(self, ask: Any) -> None:
        self._ask = ask

    def readable(self) -> bool:
        return True

    def readline(self, _size: int = -1, /) -> str:  # type: ignore[override]
        return f"{self._ask()}\n"

    def read(self, _size: int | None = -1, /) -> str:
        """All that there is to come: one line, for a human has no end of file."""
        return self.readline()


@contextmanager
def answered_by_human(context: GuardedContext, place: Place) -> Iterator[None]:
    """While this lasts, nothing in this process waits on a terminal."""
    transcript = Transcript(sys.stdout)

    def ask(prompt: object = "", /) -> str:
        printed = transcript.taken()
        text = str(prompt).strip() or (printed.pop() if printed else NO_PROMPT)
        question = Question(
            key=f"input:{place.task}:{place.number('input')}",
            prompt=text,
            context="\n".join(["```text", *printed, "```"]) if printed else None,
            agent=place.agent,
            task=place.task,
        )
        answer = context.ask(question).value
        return "" if answer is None else str(answer)

    terminal = builtins.input, sys.stdin, sys.stdout, getpass.getpass
    builtins.input, sys.stdin, sys.stdout = ask, Keyboard(ask), transcript
    getpass.getpass = _refuse
    try:
        yield
    finally:
        builtins.input, sys.stdin, sys.stdout, getpass.getpass = terminal


class NoPassword(EOFError):
    """What the code gets that asks for a password."""


def _refuse(*_: object, **__: object) -> NoReturn:
    raise NoPassword(NO_PASSWORD)


@contextmanager
def silent() -> Iterator[None]:
    """While this lasts, nobody is there to be asked: every line of input is empty."""
    before = builtins.input, sys.stdin, getpass.getpass
    builtins.input, sys.stdin, getpass.getpass = _nothing, Keyboard(_nothing), _nothing
    try:
        yield
    finally:
        builtins.input, sys.stdin, getpass.getpass = before


def _nothing(*_: object, **__: object) -> str:
    return ""
