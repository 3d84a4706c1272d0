"""What a connection to SQLite is made to do at each transaction, and what not."""

from pathlib import Path

from sqlalchemy import event

from service import schema
from service.config import Settings
from service.db import Database
from tests.contract import given as the


def test_a_transaction_like_the_one_before_it_is_not_prepared_again(tmp_path: Path) -> None:
    db = Database(Settings(data=tmp_path, database_url=None, sqlite_synchronous="NORMAL"))
    schema.upgrade(db)
    mission_id = the.make_mission(db)
    the.append(db, mission_id, the.delta())
    ran: list[str] = []
    event.listen(db.engine, "checkout", lambda driver, *_: driver.set_trace_callback(ran.append))
    for _ in range(db.engine.pool.size()):  # type: ignore[attr-defined]
        the.append(db, mission_id, the.delta())
    prepared = [statement for statement in ran if statement.startswith("PRAGMA")]
    the.append(db, mission_id, the.delta())
    db.close()
    assert ran.count("COMMIT") > 1
    assert prepared == [statement for statement in ran if statement.startswith("PRAGMA")]
