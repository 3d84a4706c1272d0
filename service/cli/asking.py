"""A mission's questions, answered from the command line while its events go on being shown."""

import os
import select
import sys
import threading
from collections.abc import Callable
from typing import Any

import httpx

from service.cli.following import Printer
from service.cli.typed import instructions, value_of
from service.client import ApiError, Client

LOOK_S = 0.1


class Lines:
    """Lines of stdin, without keeping anybody who no longer wants one. Not sys.stdin: it reads ahead."""

    def __init__(self) -> None:
        self._left = b""
        self._fd = sys.stdin.fileno()
        self.ended = False

    def next(self, wanted: Callable[[], bool]) -> str | None:
        """The next line; None when stdin has ended, or as soon as it is no longer wanted."""
        while b"\n" not in self._left and not self.ended:
            if not wanted():
                return None
            readable, _, _ = select.select([self._fd], [], [], LOOK_S)
            if readable:
                self._read()
        if not self._left:
            return None
        line, _, self._left = self._left.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def _read(self) -> None:
        try:
            content = os.read(self._fd, 65536)
        except OSError:  # the terminal is gone
            content = b""
        self._left += content
        self.ended = not content


class Asker:
    """Offers one question after the other; whoever answers elsewhere first makes it go away.

    accept_after_s: without a terminal, accept so soon by the empty answer; None waits for others.
    """

    def __init__(
        self,
        connect: Callable[[], Client],
        printer: Printer,
        *,
        accept_after_s: float | None = None,
    ) -> None:
        self._connect = connect
        self._printer = printer
        self._accept_after_s = accept_after_s
        self._lines = Lines()
        self._open: dict[int, Any] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def see(self, event: Any) -> None:
        """Take note of an event: a question, or that one is answered."""
        with self._changed:
            if event["kind"] == "HUMAN_INPUT_REQUEST":
                self._printer.pause()
                self._open[event["data"]["id"]] = event["data"]
            elif event["kind"] == "HUMAN_RESPONSE":
                self._open.pop(event["data"]["request"], None)
                if not self._open:
                    self._printer.resume()
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._open))
                request_id, question = next(iter(self._open.items()))
            self._offer(request_id, question)
            with self._changed:
                self._changed.wait_for(lambda: request_id not in self._open)  # noqa: B023

    def _offer(self, request_id: int, question: Any) -> None:
        """Ask until there is an answer, from here or from elsewhere."""
        show_question(self._printer, question)
        if not sys.stdin.isatty() and self._accept_after_s is not None:
            self._accept(request_id)
            return
        while request_id in self._open:
            line = self._lines.next(lambda: request_id in self._open)
            if line is None:
                if self._lines.ended:
                    self._printer.line("   No input here: it waits for an answer from elsewhere.")
                return
            if self._send(request_id, question, line):
                return

    def _accept(self, request_id: int) -> None:
        self._printer.line(f"   No terminal here: accepting in {self._accept_after_s:g} s.")
        with self._changed:
            gone = self._changed.wait_for(
                lambda: request_id not in self._open, timeout=self._accept_after_s
            )
        if not gone:
            self._send(request_id, {"type": "text"}, "")

    def _send(self, request_id: int, question: Any, line: str) -> bool:
        """Whether the question is settled."""
        try:
            value = value_of(question, line)
            with self._connect() as client:
                client.answer(request_id, value)
        except ValueError as error:
            self._printer.line(f"   {error}", "red")
            return False
        except ApiError as error:
            self._printer.line(f"   not taken: {error.detail}", "red")
            return error.status != 422
        except httpx.HTTPError as error:
            self._printer.line(f"   not sent: {type(error).__name__}. Once more?", "red")
            return False
        return True


def show_question(printer: Printer, question: Any) -> None:
    if question["context"]:
        printer.line(question["context"])
    printer.line(f"?? {question['prompt']}", "magenta")
    printer.line(instructions(question))
