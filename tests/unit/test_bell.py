"""SQLite's bell: rung behind each commit, so that who is woken by it sees what was committed."""

import select

import pytest

from service import schema
from service.config import Settings
from service.db import Database
from service.missions import commands
from tests.contract import given as the

WITHIN_MS = 30_000


@pytest.fixture
def db(tmp_path):
    made = Database(Settings(data=tmp_path, database_url=None))
    schema.upgrade(made)
    yield made
    made.close()


@pytest.fixture
def hint(db):
    made = db.change_hint()
    if made.fileno() is None:
        made.close()
        pytest.skip("nothing tells of a write to a file here: inotify is Linux's")
    heard(made)
    made.told()
    made.changed()
    yield made
    made.close()


def heard(hint, *, within_ms: int = 0) -> bool:
    poll = select.poll()
    poll.register(hint.fileno(), select.POLLIN)
    return bool(poll.poll(within_ms))


def fails_behind_a_write(db) -> None:
    with db.transaction() as conn:
        commands.create(conn, the.WORKSPACE, the.spec())
        raise ZeroDivisionError


def test_it_is_rung_behind_the_commit_and_not_before(db, hint):
    with db.transaction() as conn:
        commands.create(conn, the.WORKSPACE, the.spec())
        assert not heard(hint)
    assert heard(hint, within_ms=WITHIN_MS)
    hint.told()
    assert hint.changed()
    assert not heard(hint)


def test_what_is_rolled_back_is_not_told(db, hint):
    with pytest.raises(ZeroDivisionError):
        fails_behind_a_write(db)
    assert not heard(hint)


def test_a_bell_that_was_deleted_is_heard_again(db, hint, tmp_path):
    [bell] = tmp_path.glob("*-bell")
    bell.unlink()
    db.close()  # who has it open keeps it
    assert heard(hint, within_ms=WITHIN_MS)
    hint.told()
    other = Database(Settings(data=tmp_path, database_url=None))
    while heard(hint):
        hint.told()
    the.make_mission(other)
    assert heard(hint, within_ms=WITHIN_MS)
    other.close()


def test_without_a_bell_commits_are_seen_by_looking(tmp_path, db, hint, monkeypatch):
    monkeypatch.setattr(db._bell, "ring", lambda: None)
    the.make_mission(db)
    assert not heard(hint)
    assert hint.changed()
    assert 0 < hint.pause_s() < 1
