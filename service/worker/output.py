"""A child's stdout and stderr: read by the parent, so that even a crash's last words arrive."""

import codecs
import os
from multiprocessing.connection import Connection

from service.events.kinds import Kind, NewEvent
from service.security.redaction import Redactor, Stream

CHUNK_BYTES = 64 * 1024
LINE_MAX_CHARS = 8 * 1024  # a longer line goes on in the next event


class OutputStream:
    """One pipe of a child, as LOG events of whole lines, with secrets blotted out before it is cut.

    name: stdout or stderr.
    """

    def __init__(self, name: str, pipe: Connection, redactor: Redactor) -> None:
        self._name = name
        self.pipe = pipe
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stream = Stream(redactor)
        self._rest = ""
        self.open = True
        os.set_blocking(pipe.fileno(), False)

    def read(self) -> list[NewEvent]:
        """What has come since the last call, without waiting; at the end, an unfinished line too."""
        events: list[NewEvent] = []
        while self.open:
            try:
                chunk = os.read(self.pipe.fileno(), CHUNK_BYTES)
            except BlockingIOError:
                break
            events += self._lines(chunk)
            if not chunk:
                self.close()
        return events

    def close(self) -> None:
        if self.open:
            self.open = False
            self.pipe.close()

    def _lines(self, chunk: bytes) -> list[NewEvent]:
        text = self._stream.take(self._decoder.decode(chunk, final=not chunk))
        text += "" if chunk else self._stream.end()
        *lines, self._rest = (self._rest + text).split("\n")
        if self._rest and (not chunk or len(self._rest) > LINE_MAX_CHARS):
            lines.append(self._rest)
            self._rest = ""
        return [self._event(piece) for line in lines for piece in _pieces(line.rstrip("\r"))]

    def _event(self, line: str) -> NewEvent:
        level = "error" if self._name == "stderr" else "info"
        return NewEvent(Kind.LOG, self._name, {"line": line, "level": level, "logger": None})


def _pieces(line: str) -> list[str]:
    """A line cut to what an event holds; an empty line stays one."""
    return [line[i : i + LINE_MAX_CHARS] for i in range(0, len(line), LINE_MAX_CHARS)] or [""]
