"""One connection without a greenlet: waits for an answer, sends it, and reads the next request."""

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.feed.answer import Answer
from service.feed.cursor import Filter
from service.feed.kin import Kin
from service.feed.known import Known
from service.feed.page import Page
from service.feed.poll import hold_until
from service.feed.sockets import NOTHING, READ, WRITE
from service.feed.template import Template, Written
from service.feed.waiters import Admission, Place

if TYPE_CHECKING:  # each knows the other: the edge has the connections, and what they share
    from service.feed.edge import Edge

READ_BYTES = 16 * 1024  # more than a repeat has; the rest stays with the kernel
WAITS, SENDS, IDLE, GONE = range(4)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the application has found out about a poll.

    expires: when its token does, monotonic. admission: as of when its caller was let in. any_mission: its
    caller may read all missions of the workspace.
    """

    wait_s: float
    packs: bool
    echoes_id: bool
    expires: float
    admission: Admission
    any_mission: bool


class Connection(Place):
    """A client's connection, from the view that found that it has to wait until a greenlet gets it back.

    Everything here runs in the loop's own code or the watcher's: nothing may wait for anything. There are
    tens of thousands, each answered many times a second: so nothing is kept that can be found out.
    """

    __slots__ = (
        "_ahead",
        "_early",
        "_edge",
        "_expires",
        "_number",
        "_since",
        "_state",
        "_template",
        "_unsent",
        "deadline",
        "last",
        "listener",
        "terms",
    )

    def __init__(
        self, edge: "Edge", wanted: Filter, holder: str | None, terms: Terms | None
    ) -> None:
        super().__init__(wanted, holder)
        self._edge = edge
        self.terms = terms
        self.last: Written | None = None
        self.deadline: float | None = None
        self._early: tuple[Answer | None] | None = None  # an answer that came before `begin`
        self._template: Template | None = None
        self._unsent: memoryview | None = None
        self._state = WAITS
        self._since = time.monotonic()

    def begin(
        self, number: int, listener: Any, template: Template, expires: float, ahead: bytes
    ) -> None:
        """Go on without a greenlet: with a poll that waits, or with an answer to send.

        listener: where it came in. ahead: what was read beyond the request.
        """
        self._number, self.listener, self._template = number, listener, template
        self._expires, self._ahead = expires, ahead
        self.terms = None  # is in the template now
        os.set_blocking(number, False)
        self._edge.sockets.add(number, self, NOTHING if ahead else READ)
        if self._early is not None:
            [answer], self._early = self._early, None
            self.answered(answer)

    def go_on(self, known: Known, page: Page) -> None:
        """Wait, after `begin`, as who was answered with this page on another connection."""
        self.after, self.status = page.next, page.status
        self.checked, self.group = known.checked, known.group
        self.deadline = hold_until(known.template.wait_s, self._since)
        self._edge.feed.enter(self, self.deadline)

    def go_on_as(self, kin: Kin) -> None:
        """Wait, after `begin`, as one of whose request only the numbers are new."""
        assert self._template is not None
        self.after = kin.after
        self.deadline = hold_until(self._template.wait_s, self._since)
        self._edge.feed.enter(self, self.deadline, kin.family.admission)

    def abandon(self) -> None:
        """Before `begin`: something else has become of the request."""
        self._state = GONE
        self._edge.feed.leave(self)

    def answered(self, answer: Answer | None) -> None:
        template = self._template
        if self._state == GONE:
            return
        if template is None:
            self._early = (answer,)
        elif answer is None:
            self._give_back(template.request_from(self.after) + self._ahead)
        else:
            self._edge.witness.polled(answer.reason, time.monotonic() - self._since)
            self._send(template, answer)

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

    def close_if_idle(self) -> None:
        if self._state == IDLE:
            self.close()

    def ready(self, _events: int) -> None:
        """There is something to read, or room to write, or the client has gone."""
        if self._state == SENDS:
            self._send_more()
        elif self._ahead:  # it is deaf, and told of hang-ups only
            self.close()
        else:
            self._read()

    def _send(self, template: Template, answer: Answer) -> None:
        draining = self._edge.feed.draining
        self.last = written = (template.written_last if draining else template.written)(answer)
        self.deadline = None
        if template.closes:
            self._edge.known.answered(self, template, answer.page, self._expires)
        try:
            sent = os.write(self._number, written.data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(written.data):
            self._send_later(memoryview(written.data)[sent:])
        elif draining or template.closes:
            self.close()
        else:
            self._rest()

    def _send_later(self, unsent: memoryview) -> None:
        """Keep what the client does not take yet: a view of bytes that others get too."""
        self._unsent, self._state = unsent, SENDS
        self._edge.sockets.change(self._number, WRITE)
        self._edge.feed.deadlines.put(self, time.monotonic() + self._edge.send_within_s)
        self._edge.waits_for_reader(self, len(unsent))

    def _send_more(self) -> None:
        assert self._unsent is not None
        assert self._template is not None
        try:
            sent = os.write(self._number, self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self._unsent = self._unsent[sent:] or None
        if self._unsent is not None:
            return
        self._edge.feed.deadlines.rest(self)
        self._edge.has_sent(self)
        self._edge.sockets.change(self._number, READ)
        if self._template.closes or self._edge.feed.draining:
            self.close()
        else:
            self._rest()

    def _rest(self) -> None:
        """Wait for the next request, which may have been read already."""
        self._state = IDLE
        if not self._ahead:
            self._edge.idle[self] = time.monotonic()
            return
        ahead, self._ahead = self._ahead, b""
        self._edge.sockets.change(self._number, READ)
        self._received(ahead)

    def _read(self) -> None:
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
            self._edge.sockets.change(self._number, NOTHING)
        else:
            del self._edge.idle[self]
            self._received(data)

    def _received(self, data: bytes) -> None:
        template, last = self._template, self.last
        assert template is not None
        assert last is not None
        page = last.page
        if data != last.repeat and not (
            template.may_repeat(page) and template.cursor_in(data) == page.next
        ):
            self._let_go()
            self._edge.go_on(self, self._number, data)
            return
        now, feed = time.monotonic(), self._edge.feed
        if now >= self._expires or not feed.has_room_for(self.holder):
            self._give_back(data)
            return
        self.after, self.status = page.next, page.status
        self._state, self._since = WAITS, now
        self.deadline = hold_until(template.wait_s, now)
        feed.enter(self, self.deadline)

    def _give_back(self, data: bytes) -> None:
        self._let_go()
        self._edge.give_back(self, self._number, data)

    def _let_go(self) -> None:
        self._edge.feed.leave(self)
        self._edge.sockets.remove(self._number)
        self._edge.forget(self)
        self._state, self._unsent = GONE, None
