"""A brief reading sees what `reading` would, whoever else is in one at the moment."""

import pytest
from sqlalchemy.exc import DBAPIError

from service.events import log
from tests.contract import given as the


def head(conn) -> int:
    return log.head(conn, the.WORKSPACE).head


def test_each_sees_what_was_committed_before_it(db):
    for number in range(3):
        with db.brief() as conn:
            assert head(conn) == number
        the.make_mission(db)


def test_it_sees_one_moment(db):
    with db.brief() as conn:
        before = head(conn)
        the.make_mission(db)
        assert head(conn) == before


def test_who_comes_meanwhile_is_not_in_the_same(db):
    with db.brief() as conn:
        head(conn)
        the.make_mission(db)
        with db.brief() as other:
            assert other is not conn
            assert head(other) == 1
        assert head(conn) == 0


def test_nothing_can_be_written_in_it(db):
    with pytest.raises(DBAPIError), db.brief() as conn:
        conn.exec_driver_sql("UPDATE workspaces SET head = 7")
    with db.brief() as conn:
        assert head(conn) == 0
