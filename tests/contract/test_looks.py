"""A look of the watcher: what it sees is of one moment, whoever commits meanwhile, and mostly one statement."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from service.db.bell import RING
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.feed import page, serving
from service.feed.answer import Answer
from service.feed.cursor import Filter
from service.feed.waiters import Place, Waiters
from tests.contract import given as the
from tests.contract.given import WORKSPACE, delta

NEVER = 1e9


class Client(Place):
    """Keeps the numbers that it got, and comes back as one that has no group to come back to."""

    def __init__(self, wanted: Filter, waiters: Waiters) -> None:
        super().__init__(wanted, None)
        self._waiters = waiters
        self.got: list[int] = []

    def answered(self, answer: Answer | None) -> None:
        assert answer is not None
        self.got += [page.seq_of(text) for text in answer.page.events]
        self.after, self.group = answer.page.next, None
        self._waiters.enter(self, NEVER)

    def time_is_over(self) -> None:
        raise AssertionError


@pytest.fixture
def waiters() -> Iterator[Waiters]:
    made = Waiters()
    yield made
    made.deadlines.close()


def comes(waiters: Waiters, wanted: Filter, after: int) -> Client:
    made = Client(wanted, waiters)
    made.after = after
    waiters.enter(made, NEVER)
    return made


def look(db: Any, waiters: Waiters, meanwhile: Any = lambda: None) -> None:
    """One look as the watcher has it. meanwhile: what is done behind its first statement."""
    with db.watching() as sight:
        looks = list(serving.looks(sight, waiters.rooms))
        meanwhile()
        for each in looks:
            each.take()
    for each in looks:
        for delivery in each.deliveries:
            waiters.deliver(list(delivery.places), delivery.answer)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to PostgreSQL by whichever way, but for the end of a transaction that was begun."""
    seen: list[str] = []
    execute = psycopg.Cursor.execute

    def note(cursor: Any, statement: Any, *given: Any, **how: Any) -> Any:
        if statement != RING:  # which another thread sends
            seen.append(statement)
        return execute(cursor, statement, *given, **how)

    monkeypatch.setattr(psycopg.Cursor, "execute", note)
    return seen


def test_what_is_for_those_who_wait_is_one_statement(db, waiters, statements):
    if db.is_sqlite:
        pytest.skip("there a statement is no round trip")
    first, other = the.make_mission(db), the.make_mission(db, the.make_workspace(db, "other"))
    clients = [
        comes(waiters, Filter(WORKSPACE), 1),
        comes(waiters, Filter(WORKSPACE, mission=first), 1),
        comes(waiters, Filter(2), 1),
    ]
    look(db, waiters)
    the.append(db, first, delta())
    the.append(db, other, delta())
    statements.clear()
    with db.watching() as sight:
        for each in serving.looks(sight, waiters.rooms):
            each.take()
            for delivery in each.deliveries:
                waiters.deliver(list(delivery.places), delivery.answer)
        driver = sight.conn.connection.driver_connection
        assert driver.info.transaction_status == 0  # idle: nothing has to be ended
    assert len(statements) == 1
    assert [client.got for client in clients] == [[2], [2], [2]]


def test_further_reads_of_a_look_see_one_moment(db):
    mission_id = the.make_mission(db)
    with db.watching() as sight:
        log.news(sight.conn, {WORKSPACE: 0}, limit=10)
        before = log.head(sight.view(), WORKSPACE)
        the.append(db, mission_id, delta())
        assert log.head(sight.view(), WORKSPACE) == before


def test_news_are_what_each_log_has(db):
    other = the.make_workspace(db, "other")
    quiet = the.make_workspace(db, "quiet")
    for workspace_id in (WORKSPACE, other):
        the.append(db, the.make_mission(db, workspace_id), *[delta('a "b" \\ {c}, NULL')] * 9)
    after = {WORKSPACE: 3, other: 8, quiet: 0, 99: 0}
    with db.reading() as conn:
        found = {
            key: (at, list(seen)) for key, (at, seen) in log.news(conn, after, limit=5).items()
        }
        heads = log.standings(conn, after)
        expected = {
            key: (at, list(log.following(conn, key, after[key], at.head, limit=5)))
            for key, at in heads.items()
        }
        assert found == expected
        assert [event.seq for event in found[WORKSPACE][1]] == [4, 5, 6, 7, 8]
        nothing = log.news(conn, {WORKSPACE: None, other: 10, quiet: 7}, limit=5)
        assert {key: list(seen) for key, (_, seen) in nothing.items()} == {
            key: [] for key in nothing
        }
        assert log.news(conn, {}, limit=5) == {}


def test_heads_are_those_of_the_events_whoever_commits(db):
    missions = [the.make_mission(db) for _ in range(3)]
    ended = threading.Event()

    def write(mission_id: int) -> None:
        while not ended.is_set():
            the.append(db, mission_id, delta(), delta())

    threads = [threading.Thread(target=write, args=(mission_id,)) for mission_id in missions]
    for thread in threads:
        thread.start()
    try:
        after = 0
        while after < 300:
            with db.watching() as sight:
                now, events = log.news(sight.conn, {WORKSPACE: after}, limit=1000)[WORKSPACE]
                seen = [each.seq for each in events]
            assert seen == list(range(after + 1, now.head + 1))
            after = now.head
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("kinds", [(), ("STREAM",), ("OUTPUT",)])
def test_a_page_that_reaches_further_than_the_look_costs_nobody_an_event(db, waiters, kinds):
    """What a followed mission's change of status leads to is read at a later moment, on PostgreSQL."""
    mission_id = the.make_mission(db)
    wanted = Filter(WORKSPACE, mission=mission_id, kinds=kinds)
    client = comes(waiters, wanted, 1)
    look(db, waiters)
    claimed = the.claim(db)

    def meanwhile() -> None:
        if not db.is_sqlite:  # there the look has its moment
            the.append(db, mission_id, delta())
            the.append(db, mission_id, NewEvent(Kind.OUTPUT, "task", {}))

    look(db, waiters, meanwhile)
    the.append(db, mission_id, delta())
    look(db, waiters)
    the.complete(db, claimed)
    for _ in range(3):
        look(db, waiters)
    expected = the.events_of(db, mission_id, kinds=list(kinds))
    assert client.got == [each["seq"] for each in expected if each["seq"] > 1]


def test_a_look_over_a_connection_that_has_died_fails_as_any_statement_does_and_the_next_one_sees(
    db, server, settings
):
    if db.is_sqlite:
        pytest.skip("there is no connection to lose")
    the.make_mission(db)
    newest = newest_of(db)
    server.cut_off(settings)
    with pytest.raises(OperationalError) as failed:
        newest_of(db)
    assert failed.value.connection_invalidated
    assert newest_of(db) == newest == 1


def newest_of(db):
    with db.watching() as sight:
        return log.news(sight.conn, {WORKSPACE: None}, limit=1)[WORKSPACE].log.head
