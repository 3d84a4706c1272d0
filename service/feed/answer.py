"""An answer of the feed: one page and why it came, made into bytes once for all who get it."""

import zlib
from functools import cached_property
from typing import Any

from service.feed import page
from service.feed.page import Page

# A smaller answer is one packet either way; from here on 0.1 ms saves three quarters of the bytes.
GZIP_FROM_BYTES = 1024
# 95 kB of STREAM events are 7.3 kB in 0.3 ms; the default level takes 1.5 ms for 6.2 kB.
GZIP_LEVEL = 1
GZIP_WINDOW = 31  # zlib's way to say: with gzip's header


class Answer:
    """What a poll gets. Shared by all that asked the same, so nothing of it may depend on one of them.

    Each of its forms is made when somebody gets it for the first time.
    """

    def __init__(self, found: Page, reason: str, *, retry_s: float = 0) -> None:
        self.page = found
        self.reason = reason
        self.retry_s = retry_s
        self.written: dict[Any, Any] = {}  # whole responses, see `template`

    @cached_property
    def body(self) -> bytes:
        return page.render(self.page, self.reason, retry_s=self.retry_s)

    @cached_property
    def packed(self) -> bytes | None:
        """The body as gzip; None where that does not pay."""
        return pack(self.body) if len(self.body) >= GZIP_FROM_BYTES else None

    @cached_property
    def tail(self) -> bytes:
        """The end of a response's head, and the body."""
        return b"Content-Length: %d\r\n\r\n%b" % (len(self.body), self.body)

    @cached_property
    def packed_tail(self) -> bytes:
        """The same for who takes gzip."""
        if self.packed is None:
            return self.tail
        length = len(self.packed)
        return b"Content-Length: %d\r\nContent-Encoding: gzip\r\n\r\n%b" % (length, self.packed)


def pack(body: bytes) -> bytes:
    packer = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW)
    return packer.compress(body) + packer.flush()
