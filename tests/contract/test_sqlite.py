"""What a connection to SQLite is made to do at each transaction, and what not."""

import sqlite3
import threading
from contextlib import closing
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


def test_who_comes_to_a_new_file_while_another_writes_the_first_of_it_waits(tmp_path: Path) -> None:
    """SQLite says at once that it is locked: to change a file's mode it does not wait, whatever it is told."""
    settings = Settings(data=tmp_path, database_url=None)
    file = settings.resolved_database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE theirs (id)")
        other.execute("BEGIN IMMEDIATE")
        ending = threading.Timer(0.2, other.execute, ["COMMIT"])
        ending.start()
        with closing(Database(settings)) as db, db.reading() as conn:
            assert conn.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        ending.join()
