"""The wake-up: a commit is heard of soon, and later but surely when nothing carries the word."""

import time

import pytest

from service.config import Settings
from service.db import Database, hints
from tests.contract import given as the
from tests.postgres import execute
from tests.processes import until

SOON_S = 30.0
NEVER_S = 600.0


@pytest.fixture
def only_told(monkeypatch):
    """Who is not told of a change does not come upon it by looking. Before the hint is made."""
    monkeypatch.setattr(hints, "SAFETY_S", NEVER_S)


@pytest.fixture
def hint(db):
    made = db.change_hint()
    yield made
    made.close()


def settled(hint) -> None:
    """Wait until the hint has nothing more to say about what was before."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < hints.BUSY_S:
        if hint.changed():
            hint.looked(0.0, found=False)
            quiet_since = time.monotonic()
        if listening(hint) is False:
            quiet_since = time.monotonic()


def listening(hint) -> bool | None:
    """Whether the hint is told of changes; None where it sees them by itself."""
    ear = getattr(hint, "_ear", None)
    return None if ear is None else ear.hears


def test_a_commit_of_another_is_seen(db, settings, only_told, hint):
    settled(hint)
    other = Database(settings)
    the.make_mission(other)
    until(hint.changed, within_s=SOON_S, what="change")
    other.close()


def test_who_asks_is_told_to_look(db, hint):
    settled(hint)
    until(lambda: hint.changed(asked=True), within_s=SOON_S, what="look")


def test_what_is_committed_while_one_looks_is_not_missed(db, settings, only_told, hint):
    """Behind a change that was found, looking goes on: the bell is quiet then."""
    settled(hint)
    other = Database(settings)
    for _ in range(20):
        the.make_mission(other)
        until(hint.changed, within_s=SOON_S, what="change")
        hint.looked(0.0, found=True)
    other.close()


class TestOnPostgres:
    """What only a server that can be lost has to show."""

    @pytest.fixture(autouse=True)
    def _only_there(self, db):
        if db.is_sqlite:
            pytest.skip("there is no connection to lose")

    def test_a_listener_that_was_cut_off_listens_again(self, db, settings, only_told, hint):
        settled(hint)
        cut_off_listeners(settings)
        until(lambda: not listening(hint), within_s=SOON_S, what="loss that is noticed")
        until(lambda: listening(hint), within_s=SOON_S, what="listener")
        settled(hint)
        the.make_mission(db)
        until(hint.changed, within_s=SOON_S, what="change")

    def test_without_a_listener_changes_are_looked_for(
        self, db, settings, only_told, hint, monkeypatch
    ):
        settled(hint)
        monkeypatch.setattr(hints, "RETRY_S", 60.0)
        cut_off_listeners(settings)
        until(lambda: not listening(hint), within_s=SOON_S, what="loss that is noticed")
        until(hint.changed, within_s=SOON_S, what="look")
        begin = time.monotonic()
        for _ in range(5):
            until(hint.changed, within_s=SOON_S, what="look")
        assert time.monotonic() - begin > 4 * hints.DEAF_S

    def test_an_idle_listener_looks_seldom(self, hint):
        settled(hint)
        begin = time.monotonic()
        looks = 0
        while time.monotonic() - begin < 2 * hints.SAFETY_S:
            if hint.changed():
                looks += 1
                hint.looked(0.001, found=False)
        assert looks <= 3

    def test_a_slow_server_is_looked_at_less_often(self, hint):
        settled(hint)
        hint.looked(0.05, found=True)
        begin = time.monotonic()
        until(hint.changed, within_s=SOON_S, what="look")
        assert time.monotonic() - begin > 0.1


def cut_off_listeners(settings: Settings) -> None:
    execute(
        settings.database_url or "",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'SELECT pg_notify%'"
        " AND pid <> pg_backend_pid()",
    )


def test_a_connection_that_died_idle_is_replaced_without_an_error(db, settings):
    """As after a restart or a failover: the first to use the pool again notices, and goes on."""
    if db.is_sqlite:
        pytest.skip("there is no server that could end it")
    the.make_mission(db)
    execute(
        settings.database_url or "",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    the.make_mission(db)
    assert len(the.events(db)) == 2
