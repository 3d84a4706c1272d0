"""Answers that clients do not take: how much of them is kept, and for how long."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from service.config import Settings
from service.db import Database
from service.events.log import Head
from service.feed.answer import Answer
from service.feed.connection import Connection, Terms
from service.feed.cursor import Filter
from service.feed.edge import Edge
from service.feed.page import Page
from service.feed.poll import Feed
from service.feed.template import Template
from service.feed.waiters import Admission
from service.feed.witness import Nobody

BODY_BYTES = 1_000_000  # more than a socket takes
UNSENT_BYTES = 2_500_000
WITHIN_S = 30.0
ANSWER = Answer(Page(Head("feed", 1, 1), ("x" * BODY_BYTES,), 1), "events")


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    db = Database(Settings(data=tmp_path, database_url=None))
    made = Feed(db, max_held=10, max_held_per_token=10)
    yield made
    made.stop()
    db.close()


def edge_of(feed: Feed, **bounds: float) -> Edge:
    return Edge(feed, lambda _line: None, Nobody(), **bounds)


class Client:
    """One end of a connection, at whose other end an answer is to be sent."""

    def __init__(self, edge: Edge) -> None:
        admission = Admission("feed", 0)
        terms = Terms(20, False, True, expires=0, admission=admission, any_mission=True)
        self._server = Connection(edge, Filter(1), None, terms)
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        template = Template(b"HTTP/1.1 200 OK\r\n", False, False, True, 20, b"", None)
        self._server.begin(theirs.detach(), None, template, 0, b"")
        self.came = 0

    def is_answered(self) -> None:
        self._server.answered(ANSWER)

    def read(self) -> bool:
        """Take what there is. Whether the connection has ended."""
        try:
            while piece := self._socket.recv(1 << 16):
                self.came += len(piece)
        except BlockingIOError:
            return False
        self._socket.close()
        return True

    def reads_all(self) -> None:
        eventually(self.read)


def eventually(look) -> None:
    """As `until`, while the loop goes on."""
    deadline = time.monotonic() + WITHIN_S
    while not look():
        assert time.monotonic() < deadline
        gevent.sleep(0.01)


def test_when_too_much_is_unsent_the_slowest_is_cut_off(feed):
    edge = edge_of(feed, unsent_max_bytes=UNSENT_BYTES)
    clients = [Client(edge) for _ in range(4)]
    for client in clients:
        client.is_answered()
        assert sum(edge.unsent.values()) <= UNSENT_BYTES
    for client in clients:
        client.reads_all()
    first, *others = [client.came for client in clients]
    assert first < BODY_BYTES
    assert all(came > BODY_BYTES for came in others[-2:])
    assert not edge.unsent


def test_who_does_not_take_an_answer_in_time_is_cut_off(feed):
    edge = edge_of(feed, send_within_s=0.3)
    slow, quick = Client(edge), Client(edge)
    for client in (slow, quick):
        client.is_answered()
    quick.reads_all()
    assert quick.came > BODY_BYTES
    eventually(lambda: not edge.unsent)
    slow.reads_all()
    assert slow.came < BODY_BYTES
