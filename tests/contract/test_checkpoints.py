"""SQLite's -wal file is tidied up beside the writers, and by them where nobody else does."""

from pathlib import Path

from service import schema
from service.config import Settings
from service.db import Database
from tests.contract import given as the
from tests.processes import until


def test_what_was_committed_is_moved_without_a_writer(tmp_path: Path) -> None:
    db = Database(Settings(data=tmp_path, database_url=None, sqlite_synchronous="NORMAL"))
    schema.upgrade(db)
    claim = the.running(db)
    file = tmp_path / "longline.db"
    for _ in range(100):
        the.append(db, claim.mission_id, the.delta("word " * 200))
    before = file.stat().st_mtime_ns, file.stat().st_size
    db.tidy()
    until(lambda: (file.stat().st_mtime_ns, file.stat().st_size) != before, what="checkpoint")
    the.append(db, claim.mission_id, the.delta())  # and writing goes on
    db.close()
    assert not (tmp_path / "longline.db-wal").exists()
