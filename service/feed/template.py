"""What follows from a request's bytes, but for the cursor: how its answers look, and what may come next."""

import random
import time
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from service.feed.answer import Answer
from service.feed.page import Page
from service.feed.repeat import Repeat

KEEP, CLOSE = b"Connection: keep-alive\r\n", b"Connection: close\r\n"
ASKS_AGAIN_FROM_S = 1.0  # who waits for less comes back so often that the limits have to see it


class Written:
    """An answer as the bytes of a response, which go to everybody who sent the same request.

    repeat: the request with which its reader goes on, where that is known to the byte; second: of its Date.
    """

    __slots__ = ("data", "page", "repeat", "second")

    def __init__(self, data: bytes, page: Page, repeat: bytes | None, second: int) -> None:
        self.data = data
        self.page = page
        self.repeat = repeat
        self.second = second


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Template:
    """The same one for all connections that send the same.

    head: of the answer, without what each answer has of its own. own_id: whether an X-Request-Id is.
    closes: the connection is closed behind the answer. request: its bytes, where it has no repeat.
    """

    head: bytes
    own_id: bool
    packs: bool
    closes: bool
    wait_s: float
    request: bytes
    repeat: Repeat | None

    def written(self, answer: Answer) -> Written:
        """An answer in the form that this request gets. Made once a second at most."""
        second = int(time.time())
        made: Written | None = answer.written.get(self)
        if made is None or made.second != second:
            made = answer.written[self] = self._write(answer, self.head, second)
        return made

    def written_last(self, answer: Answer) -> Written:
        """The same, where a connection is closed that would have been kept."""
        return self._write(answer, self.head.replace(KEEP, CLOSE), int(time.time()))

    @property
    def parts(self) -> tuple[Any, ...]:
        """Of which it is made. Two of the same parts would be the same."""
        about_answers = self.head, self.own_id, self.packs, self.closes, self.wait_s
        return *about_answers, self.request, self.repeat

    @property
    def key(self) -> tuple[bytes, bytes] | None:
        """The bytes around the cursor, where the cursor is all that changes."""
        if self.repeat is None or self.repeat.between is not None:
            return None
        return self.repeat.before, self.repeat.behind

    def may_repeat(self, page: Page) -> bool:
        """Whether the poll behind this page can only wait, or get what is behind its cursor."""
        return self.repeat is not None and self.wait_s >= ASKS_AGAIN_FROM_S and not page.closed

    def cursor_in(self, request: bytes) -> int | None:
        """The cursor, where the request differs in nothing else."""
        return None if self.repeat is None else self.repeat.cursor_in(request)

    def request_from(self, after: int) -> bytes:
        return self.request if self.repeat is None else self.repeat.request(after)

    def _write(self, answer: Answer, head: bytes, second: int) -> Written:
        own = _date(second)
        if self.own_id:
            own += b"X-Request-Id: %016x\r\n" % random.getrandbits(64)
        data = head + own + (answer.packed_tail if self.packs else answer.tail)
        return Written(data, answer.page, self._next(answer.page), second)

    def _next(self, page: Page) -> bytes | None:
        if self.repeat is None or self.repeat.between is not None or not self.may_repeat(page):
            return None
        return self.repeat.request(page.next)


@lru_cache(maxsize=2)
def _date(second: int) -> bytes:
    return f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
