"""What opens says as of when: so that who waits with it need not be looked up again until something changes."""

import pytest

from service.events import log
from service.security import tokens
from tests.contract import given as the


def make(db) -> str:
    with db.transaction() as conn:
        return tokens.create(conn, the.WORKSPACE, ["read"])


def changes(db) -> int:
    with db.reading() as conn:
        return log.head(conn, the.WORKSPACE).access


def test_an_open_server_says_as_of_when_it_is_open(db):
    assert tokens.without_one(db.few).changes == changes(db)


def test_a_token_says_as_of_when_it_opens(db):
    token, other = make(db), make(db)
    seen = []
    for _ in ("before", "behind the other's end"):
        access = tokens.open_with(db.few, token)
        assert access is not None
        assert access.changes == changes(db)
        seen.append(access.changes)
        with db.transaction() as conn:
            tokens.revoke(conn, tokens.id_of(other))
    assert seen[0] < seen[1]


@pytest.mark.parametrize("noted", [False, True])
def test_a_use_is_due_where_none_was_noted_lately(db, noted):
    token = make(db)
    if noted:
        first = tokens.open_with(db.few, token)
        assert first is not None
        with db.transaction() as conn:
            tokens.note_use(conn, first)
    access = tokens.open_with(db.few, token)
    assert access is not None
    assert tokens.is_use_due(access) is not noted
