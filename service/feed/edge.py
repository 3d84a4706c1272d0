"""Connections without a greenlet: each a small record whose poll is held, answered, and asked again.

The edge gives out what the feed has rendered, under the headers that the application gave the first of
equal requests. Whatever else is to be said on a connection, the worker says: it gets the connection back
with the bytes that were read from it, and is not told that it was away.
"""

import time
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from service.feed.connection import Connection, Terms
from service.feed.kin import Families, Family, Kin
from service.feed.known import KnownRequests
from service.feed.line import Line
from service.feed.poll import Feed
from service.feed.repeat import Repeat
from service.feed.sockets import Sockets
from service.feed.template import Template
from service.feed.witness import Witness

# Bytes of answers that clients have not taken yet, of all together; beyond it the slowest are cut off.
UNSENT_MAX_BYTES = 64 * 1024 * 1024
IDLE_S = 5.0  # as gunicorn's keepalive: then a connection that asks for nothing is closed
SEND_WITHIN_S = 30.0  # of a whole answer: a client that reads more slowly is not reading
# After so long a request is parsed again though it is a repeat, and its token noted as used.
PARSED_FOR_S = 300.0
OF_ONE_RESPONSE = ("Date:", "Transfer-Encoding:")
OF_ONE_ANSWER = frozenset({"content-length", "content-encoding", "x-request-id", "date"})


class Held:
    """The body of a response that is given later, and not by the application."""

    def __iter__(self) -> "Held":
        return self

    def __next__(self) -> bytes:
        raise StopIteration


class Edge:
    """All connections of one process that no greenlet serves.

    serve: starts a greenlet of the worker for a connection, from its next byte on.
    """

    def __init__(
        self,
        feed: Feed,
        serve: Callable[[Line], None],
        witness: Witness,
        *,
        unsent_max_bytes: int = UNSENT_MAX_BYTES,
        send_within_s: float = SEND_WITHIN_S,
    ) -> None:
        self.feed = feed
        self.witness = witness
        self.sockets = Sockets()
        self.known = KnownRequests()
        self.families = Families()
        self.lines: set[Line] = set()  # the connections that do have a greenlet
        self.unsent: dict[Connection, int] = {}
        # Those that ask for nothing, and since when, the longest first. No deadlines: between two
        # polls each is here for a moment.
        self.idle: dict[Connection, float] = {}
        self.send_within_s = send_within_s
        self._unsent_bytes = 0
        self._unsent_max_bytes = unsent_max_bytes
        self._serve = serve
        # By their parts, as long as somebody has one.
        self._templates: WeakValueDictionary[tuple[Any, ...], Template] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self.sockets)

    def take(self, line: Line, parsed: Any) -> None:
        """Take over a connection whose request was answered, or is held; see `Connection`."""
        connection: Connection = line.held
        terms = connection.terms
        assert terms is not None
        template = self._template(_parts(line, terms))
        expires = min(time.monotonic() + PARSED_FOR_S, terms.expires)
        holder = connection.holder
        family = Family(template, connection.filter, holder, terms.admission, expires)
        self.families.learn(family, any_mission=terms.any_mission)
        number, ahead = line.leave(parsed)
        connection.begin(number, line.listener, template, expires, ahead)

    def take_known(self, line: Line, request: bytes) -> bool:
        """Take over a new connection, if its request is one that need not be parsed. Whether it is."""
        now = time.monotonic()
        found = self.known.find(request, now)
        if found is None:
            return self._take_kin(line, request, now)
        known, page = found
        if not self.feed.has_room_for(known.holder):
            return False
        connection = Connection(self, known.filter, known.holder, None)
        connection.begin(line.detach(), line.listener, known.template, known.expires, b"")
        connection.go_on(known, page)
        return True

    def _take_kin(self, line: Line, request: bytes, now: float) -> bool:
        kin = self._kin(request, now)
        if kin is not None:
            self._hold(kin, line.detach(), line.listener)
        return kin is not None

    def _kin(self, request: bytes, now: float) -> Kin | None:
        """What is known of a request, if it may be held by that."""
        kin = self.families.find(request, now)
        if kin is None or not self.feed.has_room_for(kin.family.holder):
            return None
        return None if self.feed.has_news(kin.filter, kin.after) else kin

    def _hold(self, kin: Kin, number: int, listener: Any) -> None:
        template = self._template((*kin.family.template.parts[:-1], kin.repeat))
        connection = Connection(self, kin.filter, kin.family.holder, None)
        connection.begin(number, listener, template, kin.family.expires, b"")
        connection.go_on_as(kin)

    def go_on(self, connection: Connection, number: int, request: bytes) -> None:
        """What comes next on a connection is no repeat: behind a proxy, it may be somebody else's."""
        kin = self._kin(request, time.monotonic())
        if kin is None:
            self.give_back(connection, number, request)
        else:
            self._hold(kin, number, connection.listener)

    def give_back(self, connection: Connection, number: int, request: bytes) -> None:
        """Let the worker go on with a connection, beginning with these bytes."""
        deadline = connection.deadline
        self._serve(Line(number, self, connection.listener, ahead=request, deadline=deadline))

    def forget(self, connection: Connection) -> None:
        self.idle.pop(connection, None)
        self.has_sent(connection)

    def drain(self) -> None:
        """Close what asks for nothing. Held polls are the feed's to answer; then they close too."""
        for connection in self.sockets.owners():
            connection.close_if_idle()
        for line in list(self.lines):
            line.close_if_idle()

    def close_idle(self) -> None:
        """Close what has asked for nothing for too long. To be called about every second."""
        until = time.monotonic() - IDLE_S
        while self.idle and next(iter(self.idle.values())) < until:
            next(iter(self.idle)).close()

    def waits_for_reader(self, connection: Connection, count: int) -> None:
        """An answer could not be sent at once. Who has waited longest goes when there is too much of it."""
        self.unsent[connection] = count
        self._unsent_bytes += count
        while self._unsent_bytes > self._unsent_max_bytes:
            next(iter(self.unsent)).close()

    def has_sent(self, connection: Connection) -> None:
        self._unsent_bytes -= self.unsent.pop(connection, 0)

    def _template(self, parts: tuple[Any, ...]) -> Template:
        """What connections with equal requests share."""
        made = self._templates.get(parts)
        if made is None:
            made = self._templates[parts] = Template(*parts)
        return made


def _parts(line: Line, terms: Terms) -> tuple[Any, ...]:
    """Of a template for a request that was parsed."""
    repeat = Repeat.of(line.request)
    return (
        _head(line.response, keep_id=terms.echoes_id),
        not terms.echoes_id,
        terms.packs,
        bool(line.response.should_close()),
        terms.wait_s,
        b"" if repeat else line.request,
        repeat,
    )


def _head(response: Any, *, keep_id: bool) -> bytes:
    """The status line and the headers that do not depend on the answer, as gunicorn writes them."""
    lines = [line for line in response.default_headers() if not line.startswith(OF_ONE_RESPONSE)]
    for name, value in response.headers:
        if name.lower() not in OF_ONE_ANSWER or (keep_id and name.lower() == "x-request-id"):
            lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("latin-1")
