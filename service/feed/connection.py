"""One connection without a greenlet: waits for an answer, sends it, and reads the next request."""

import os
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.feed.answer import Answer
from service.feed.cursor import Filter
from service.feed.poll import hold_until
from service.feed.repeat import Repeat
from service.feed.waiters import Place

if TYPE_CHECKING:  # each knows the other: the edge has the connections, and what they share
    from service.feed.edge import Edge, Terms

READ, WRITE = 1, 2
READ_BYTES = 16 * 1024  # more than a repeat has; the rest stays with the kernel
ASKS_AGAIN_FROM_S = 1.0  # who waits for less comes back so often that the limits have to see it
KEEP, CLOSE = b"Connection: keep-alive\r\n", b"Connection: close\r\n"
WAITS, SENDS, IDLE, GONE = range(4)


@dataclass(frozen=True, slots=True)
class Template:
    """What follows from a request's bytes, but for the cursor: the same for all that send the same.

    head: of the answer, without what each answer has of its own. own_id: whether an X-Request-Id is.
    closes: the connection is closed behind the answer. request: the bytes.
    """

    head: bytes
    own_id: bool
    packs: bool
    closes: bool
    wait_s: float
    request: bytes
    repeat: Repeat | None


class Connection(Place):
    """A client's connection, from the view that found that it has to wait until a greenlet gets it back.

    Everything here runs in the loop's own code or the watcher's: nothing may wait for anything.
    """

    __slots__ = (
        "_ahead",
        "_answer",
        "_edge",
        "_expires",
        "_io",
        "_listens",
        "_number",
        "_pending",
        "_since",
        "_state",
        "_template",
        "deadline",
        "last",
        "origin",
        "terms",
    )

    def __init__(
        self, edge: "Edge", wanted: Filter, after: int, holder: str | None, terms: "Terms"
    ) -> None:
        super().__init__(wanted, after, holder)
        self._edge = edge
        self.terms = terms
        self.last: Answer | None = None
        self.deadline: float | None = None
        self._answer: tuple[Answer | None] | None = None  # one that came before `begin`
        self._template: Template | None = None
        self._pending: list[memoryview] = []
        self._state = WAITS
        self._since = time.monotonic()

    def begin(
        self, number: int, origin: Any, template: Template, expires: float, ahead: bytes
    ) -> None:
        """Go on without a greenlet: with a poll that waits, or with an answer to send.

        ahead: what was read beyond the request.
        """
        self._number, self.origin, self._template = number, origin, template
        self._expires, self._ahead = expires, ahead
        self.terms = None  # type: ignore[assignment]  # is in the template now
        os.set_blocking(number, False)
        self._io = self._edge.loop.io(number, READ)
        self._listens = False
        if self._answer is not None:
            [answer], self._answer = self._answer, None
            self.answered(answer)
        elif not ahead:
            self._listen()

    def abandon(self) -> None:
        """Before `begin`: something else has become of the request."""
        self._state = GONE
        self._edge.feed.leave(self)

    def answered(self, answer: Answer | None) -> None:
        if self._state == GONE:
            return
        if self._template is None:
            self._answer = (answer,)
        elif answer is None:
            self._give_back(self._request() + self._ahead)
        else:
            held_s = time.monotonic() - self._since
            self._edge.witness.polled(answer.reason, held_s)
            self._send(answer)

    def time_is_over(self) -> None:
        if self._state == WAITS:
            self._edge.feed.end(self)
        else:
            self.close()  # too slow a reader

    def close(self) -> None:
        """Free the place and the connection."""
        if self._state == GONE:
            return
        self._let_go()
        os.close(self._number)
        self._edge.forget(self)

    def close_if_idle(self) -> None:
        if self._state == IDLE:
            self.close()

    def _send(self, answer: Answer) -> None:
        template, edge = self._template, self._edge
        assert template is not None
        self.last, self.deadline = answer, None
        head = template.head
        if edge.feed.draining:
            head = head.replace(KEEP, CLOSE)
        own = edge.date()
        if template.own_id:
            own += b"X-Request-Id: %016x\r\n" % random.getrandbits(64)
        pieces = [head, own, answer.packed_tail if template.packs else answer.tail]
        try:
            sent = os.writev(self._number, pieces)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent == sum(map(len, pieces)):
            self._sent()
        else:
            self._send_later(pieces, sent)

    def _send_later(self, pieces: list[bytes], sent: int) -> None:
        """Keep what the client does not take yet: views of bytes that others get too."""
        for piece in pieces:
            if sent < len(piece):
                self._pending.append(memoryview(piece)[sent:])
            sent = max(0, sent - len(piece))
        self._state = SENDS
        self._deafen()
        self._io.events = WRITE
        self._io.start(self._writable)
        self._edge.feed.deadlines.put(self, time.monotonic() + self._edge.send_within_s)
        self._edge.waits_for_readers(self, sum(map(len, self._pending)))

    def _writable(self) -> None:
        try:
            sent = os.writev(self._number, self._pending)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        while self._pending and sent >= len(self._pending[0]):
            sent -= len(self._pending.pop(0))
        if self._pending:
            self._pending[0] = self._pending[0][sent:]
            return
        self._edge.feed.deadlines.drop(self)
        self._edge.has_sent(self)
        self._io.stop()
        self._io.events = READ
        if not self._ahead:
            self._listen()
        self._sent()

    def _sent(self) -> None:
        assert self._template is not None
        if self._template.closes or self._edge.feed.draining:
            self.close()
        else:
            self._rest()

    def _rest(self) -> None:
        """Wait for the next request, which may have been read already."""
        self._state = IDLE
        ahead, self._ahead = self._ahead, b""
        if ahead:
            self._received(ahead)
            return
        self._edge.idle[self] = time.monotonic()
        self._listen()

    def _listen(self) -> None:
        if not self._listens:  # it mostly does, from one poll to the next
            self._listens = True
            self._io.start(self._readable)

    def _deafen(self) -> None:
        self._listens = False
        self._io.stop()

    def _readable(self) -> None:
        try:
            data = os.read(self._number, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
        elif self._state == WAITS:
            # Its next request, early. One is enough: the rest may wait in the kernel.
            self._ahead = data
            self._deafen()
        else:
            self._edge.idle.pop(self, None)
            self._received(data)

    def _received(self, data: bytes) -> None:
        template, last = self._template, self.last
        assert template is not None
        assert last is not None
        repeat = template.repeat
        after = repeat.cursor_in(data) if repeat is not None else None
        if after is None or after != last.page.next or not self._may_repeat(template, last):
            self._give_back(data)
            return
        self.after, self.status = after, last.page.status
        self._state, self._since = WAITS, time.monotonic()
        self.deadline = hold_until(template.wait_s)
        self._listen()
        self._edge.feed.enter(self, self.deadline)

    def _may_repeat(self, template: Template, last: Answer) -> bool:
        """Whether this poll can only wait, or get what is behind its cursor."""
        return (
            template.wait_s >= ASKS_AGAIN_FROM_S
            and not last.page.closed
            and time.monotonic() < self._expires
            and self._edge.feed.has_room_for(self.holder)
        )

    def _request(self) -> bytes:
        """The bytes of the request that waits."""
        assert self._template is not None
        if self.last is None or self._template.repeat is None:
            return self._template.request
        return self._template.repeat.request(self.after)

    def _give_back(self, data: bytes) -> None:
        self._let_go()
        self._edge.give_back(self, self._number, data)

    def _let_go(self) -> None:
        if self._state == WAITS:
            self._edge.feed.leave(self)
        elif self._state == SENDS:
            self._edge.feed.deadlines.drop(self)
        self._edge.idle.pop(self, None)
        self._state = GONE
        self._pending.clear()
        self._io.stop()
        self._io.close()
