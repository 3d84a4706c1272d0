"""A held poll while the database is away, or the watcher fails: it waits on, or is told."""

import logging
import signal
import time
from collections.abc import Iterator

import gevent
import pytest

from service.feed import watcher as watcher_module
from service.feed.watcher import Watcher
from tests.api.server import Server, problem, result, until
from tests.contract import given as the


def rename_table(server: Server, old: str, new: str) -> None:
    with server.db.transaction() as conn:
        conn.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


def test_a_database_that_fails_for_a_while_costs_a_held_poll_nothing(server, caplog):
    held = server.hold_poll(after=0)
    begin = time.monotonic()
    rename_table(server, "workspaces", "gone")
    with caplog.at_level(logging.WARNING, "service.feed.watcher"):
        until(lambda: caplog.records, what="failure of the watcher")
    rename_table(server, "gone", "workspaces")
    the.make_mission(server.db)
    assert [event["seq"] for event in result(held)["events"]] == [1]
    assert time.monotonic() - begin < 15  # through the watcher, not at the end of the wait
    assert server.get("/readyz").status_code == 200


def test_a_database_that_is_away_when_the_time_is_over_is_said(server, caplog):
    held = server.hold(server.get, "/events?after=0&wait=1")
    rename_table(server, "workspaces", "gone")
    problem(result(held), 503, "database_unavailable")
    assert server.feed.held == 0


class Stuck(BaseException):
    """Raised by a timer in whatever does not give way to others."""


@pytest.fixture
def timer() -> Iterator[None]:
    """Ends a greenlet that has held up all others for seconds."""

    def stop(*_: object) -> None:
        raise Stuck

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 60.0)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_the_watcher_gives_way_when_those_it_failed_for_have_left(
    server: Server, monkeypatch: pytest.MonkeyPatch, timer: None
) -> None:
    """As when the database died and the clients went elsewhere: it once held up the whole process."""
    looks = iter([RuntimeError("the database died")])

    def fail_once(_self: Watcher) -> None:
        for error in looks:
            raise error

    monkeypatch.setattr(watcher_module, "RETRY_S", 0.7)
    monkeypatch.setattr(Watcher, "_look", fail_once)
    assert server.poll(after=0, wait=0.5)["reason"] == "timeout"
    assert server.feed.held == 0
    gevent.sleep(watcher_module.RETRY_S)
    assert server.get("/healthz").status_code == 200
    assert server.feed.alive
