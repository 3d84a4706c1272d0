"""First polls whose kin were parsed: held without it, unless there is something to be said at once."""

import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from gevent import socket

from service import schema
from service.config import Settings
from service.db import Database
from service.events import log
from service.events.log import Head
from service.feed.cursor import Filter
from service.feed.edge import Edge
from service.feed.kin import Family
from service.feed.line import Line
from service.feed.poll import Feed
from service.feed.repeat import Repeat
from service.feed.template import Template
from service.feed.waiters import Admission
from service.feed.witness import Nobody
from service.security import tokens
from tests.contract import given as the

WITHIN_S = 30.0
REQUEST = b"GET /missions/%d/events?after=%d&wait=20 HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Stage:
    """An edge without a worker, whose feed looks at a database of its own."""

    def __init__(self, folder: Path, **bounds: int) -> None:
        self.db = Database(Settings(data=folder, database_url=None))
        schema.upgrade(self.db)
        self.missions = [the.make_mission(self.db) for _ in range(3)]
        bounds = {"max_held": 10, "max_held_per_token": 10} | bounds
        self.feed = Feed(self.db, **bounds)
        self.parsed: list[Line] = []
        self.ends: list[socket.socket] = []
        self.edge = Edge(self.feed, self.parsed.append, Nobody())

    def learn(self, *, holder: str | None = None, access: int = 0) -> None:
        """As if a request had been parsed."""
        repeat = Repeat.of(REQUEST % (self.missions[0], 0))
        template = Template(b"HTTP/1.1 200 OK\r\n", True, False, False, 20.0, b"", repeat)
        admission = Admission(self.head.feed, access)
        wanted = Filter(the.WORKSPACE, self.missions[0])
        family = Family(template, wanted, holder, admission, time.monotonic() + 60)
        self.edge.families.learn(family, any_mission=True)

    def comes(self, mission: int, after: int) -> tuple[bool, socket.socket]:
        """Whether a client's request is taken by the edge, and the client's end."""
        ours, theirs = socket.socketpair()
        theirs.settimeout(WITHIN_S)
        line = Line(ours.detach(), self.edge, None)
        self.ends += line, theirs
        return self.edge.take_known(line, REQUEST % (mission, after)), theirs

    def holds_one(self) -> bool:
        """Who is no stranger any more."""
        return self.feed.held == 1 and not self.feed._waiters.rooms[the.WORKSPACE].strangers

    @property
    def head(self) -> Head:
        with self.db.reading() as conn:
            return log.head(conn, the.WORKSPACE)

    def close(self) -> None:
        for end in (*self.ends, *self.parsed, *self.edge.sockets.owners()):
            end.close()
        self.feed.stop()
        self.db.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    made.feed.start()
    yield made
    made.close()


def eventually(look) -> None:
    """As `until`, while the loop goes on."""
    deadline = time.monotonic() + WITHIN_S
    while not look():
        assert time.monotonic() < deadline
        gevent.sleep(0.01)


def test_kin_are_held_without_being_parsed(stage):
    assert not stage.comes(stage.missions[1], stage.head.head)[0]
    stage.learn()
    taken, client = stage.comes(stage.missions[1], stage.head.head)
    assert taken
    eventually(lambda: not stage.feed._waiters.rooms[the.WORKSPACE].strangers)
    the.append(stage.db, stage.missions[1], the.delta("here"))
    assert b'"delta":"here"' in client.recv(10_000)
    assert not stage.parsed


@pytest.mark.parametrize("after", [0, 10_000])
def test_who_would_be_answered_at_once_is_parsed(stage, after):
    """For only there is who asks for the same again and again slowed down."""
    stage.learn()
    taken, _ = stage.comes(stage.missions[1], after)
    assert taken
    eventually(lambda: stage.parsed)
    assert stage.parsed[0].recv(1000) == REQUEST % (stage.missions[1], after)
    assert not stage.feed.held


def test_when_somebodys_access_has_changed_since_all_are_parsed(stage):
    stage.learn(access=stage.head.access)
    with stage.db.transaction() as conn:
        tokens.create(conn, the.WORKSPACE, ["read"])
    stage.comes(stage.missions[1], stage.head.head)
    eventually(lambda: stage.parsed)


def test_of_one_token_no_more_than_it_may_hold(tmp_path):
    stage = Stage(tmp_path, max_held_per_token=1)
    stage.learn(holder="token")
    assert [stage.comes(stage.missions[1], 3)[0] for _ in range(2)] == [True, False]
    stage.close()


def test_at_a_drain_strangers_are_parsed_and_told_of_it_there(tmp_path):
    """Of whom nobody has seen whether they may have what a drain tells."""
    stage = Stage(tmp_path)
    stage.learn()
    stage.comes(stage.missions[1], stage.head.head)
    stage.feed.drain()
    assert len(stage.parsed) == 1
    assert not stage.feed.held
    assert not stage.comes(stage.missions[1], stage.head.head)[0]
    stage.close()


def test_very_many_strangers_are_met_some_at_a_time(stage, monkeypatch):
    monkeypatch.setattr("service.feed.serving.MET_AT_ONCE", 2)
    stage.learn()
    head = stage.head.head
    for n in range(8):
        stage.comes(stage.missions[n % 3], head + 9 * (n < 3))
    eventually(lambda: len(stage.parsed) == 3)
    eventually(lambda: not stage.feed._waiters.rooms[the.WORKSPACE].strangers)
    assert stage.feed.held == 5


def test_a_crowd_asks_for_one_look(stage, monkeypatch):
    asked = []
    monkeypatch.setattr(stage.feed._watcher, "look_for", lambda: asked.append(1))
    stage.learn()
    for number in range(5):
        stage.comes(stage.missions[number % 3], stage.head.head)
    eventually(lambda: asked)
    assert len(asked) == 1


def test_what_happens_while_a_crowd_waits_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("service.feed.watcher.STRANGERS_WAIT_S", 2 * WITHIN_S)
    stage = Stage(tmp_path)
    stage.feed.start()
    stage.learn()
    stage.comes(stage.missions[1], stage.head.head)
    the.append(stage.db, stage.missions[1], the.delta("here"))
    eventually(lambda: not stage.feed.held)
    stage.close()


def test_on_a_kept_connection_too(stage):
    """Proxies that keep theirs send everybody's requests over each of them."""
    stage.learn()
    _, client = stage.comes(stage.missions[1], stage.head.head)
    for mission, other in ((1, 2), (2, 0)):
        eventually(stage.holds_one)
        the.append(stage.db, stage.missions[mission], the.delta(f"of {mission}"))
        assert f"of {mission}".encode() in client.recv(10_000)
        client.sendall(REQUEST % (stage.missions[other], stage.head.head))
    eventually(stage.holds_one)
    client.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
    the.append(stage.db, stage.missions[0], the.delta("of 0"))
    assert b"of 0" in client.recv(10_000)
    eventually(lambda: stage.parsed)
    assert stage.parsed[0].recv(100) == b"GET /healthz HTTP/1.1\r\n\r\n"


def test_who_has_missed_what_memory_has_does_not_wait_for_a_crowd(stage):
    stage.learn()
    before = stage.head.head
    stage.comes(stage.missions[0], before)
    eventually(lambda: stage.feed._waiters.rooms[the.WORKSPACE].log)
    the.append(stage.db, stage.missions[1], the.delta("here"))
    eventually(lambda: stage.feed._waiters.rooms[the.WORKSPACE].log.head > before)
    assert not stage.comes(stage.missions[1], before)[0]
    assert stage.comes(stage.missions[2], before)[0]
    assert stage.comes(stage.missions[1], before + 1)[0]


def test_one_who_leaves_before_he_is_met_frees_his_place(tmp_path):
    stage = Stage(tmp_path)
    stage.learn()
    _, client = stage.comes(stage.missions[1], stage.head.head)
    client.close()
    eventually(lambda: not stage.feed.held)
    assert not stage.parsed
    stage.close()
