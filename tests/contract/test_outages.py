"""What a database does that goes away in mid-transaction: it can be tried again, and is one class of error."""

from contextlib import closing

import pytest

from service.config import Settings
from service.db import UNAVAILABLE, Database, postgres, reason
from tests.contract import given as the
from tests.postgres import execute
from tests.processes import until

ALIVE = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"


@pytest.fixture
def url(db, settings):
    if db.is_sqlite:
        pytest.skip("there is no server that could end a transaction")
    return settings.database_url


def sleep_in_mid_transaction(db: Database, mission_id: int, url: str) -> None:
    with db.transaction() as conn:
        pid = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        until(lambda: execute(url, ALIVE, pid) == [(0,)], what="end of who slept")
        the.log.append(conn, mission_id, [the.delta()], fence=None)


def test_who_sleeps_in_mid_transaction_has_written_nothing_and_may_try_again(db, url, monkeypatch):
    mission_id = the.make_mission(db)
    short = postgres.BEGIN.replace(str(postgres.IDLE_IN_TRANSACTION_MS), "100")
    monkeypatch.setattr(postgres, "BEGIN", short)
    with pytest.raises(UNAVAILABLE) as ended:
        sleep_in_mid_transaction(db, mission_id, url)
    assert "idle-in-transaction timeout" in reason(ended.value)
    the.append(db, mission_id, the.delta())
    assert len(the.events_of(db, mission_id)) == 2


def test_a_server_that_may_only_be_read_is_an_outage_and_left_for_the_next(db, url, settings):
    """Its name may lead to its successor by now: so the connection is not kept."""
    mission_id = the.make_mission(db)
    read_only = f"{url}?options=-c%20default_transaction_read_only%3Don"
    with closing(Database(Settings(data=settings.data, database_url=read_only))) as behind:
        before = backend(behind)
        with pytest.raises(UNAVAILABLE):
            the.append(behind, mission_id, the.delta())
        assert backend(behind) != before


def backend(db: Database) -> int:
    with db.glance() as conn:
        return conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()


def test_a_password_is_not_in_what_the_log_is_told(settings):
    wrong = "postgresql://somebody:hunter2@127.0.0.1:1/longline"
    with (
        closing(Database(Settings(data=settings.data, database_url=wrong))) as away,
        pytest.raises(UNAVAILABLE) as ended,
    ):
        the.events(away)
    told = reason(ended.value)
    assert "refused" in told
    assert "\n" not in told
    assert "hunter2" not in told + str(ended.value)
