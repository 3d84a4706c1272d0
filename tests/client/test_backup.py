"""Backup and restoration as docs/operations.md has them, on both databases, while the service runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from service import schema
from service.client import Client, FeedReset
from service.client.feed import Cursor
from service.config import Settings
from service.db import Database
from service.missions import files
from tests.acceptance.pages import ROOT, blocks, run
from tests.client.writer import Writer
from tests.contract import given as the
from tests.folding import differences, faults
from tests.postgres import PostgresServer
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.waits]

PAGE = ROOT / "docs" / "operations.md"


@dataclass(frozen=True)
class Place:
    """A database, and the page's commands for it."""

    web: Longline
    settings: Settings
    backup: str
    restore: str
    path: str = ""

    def does(self, command: str, folder: Path) -> None:
        given = {k: v for k, v in self.web.environment.items() if k in ("DATABASE_URL",)}
        data = str(self.settings.data)
        run([command], folder, path=self.path, LONGLINE_DATA=data, **given)


def commands(language: str, word: str) -> str:
    [found] = [block for block in blocks(PAGE, language) if word in block]
    return found


@contextmanager
def sqlite(folder: Path) -> Iterator[Place]:
    web = Longline(folder, LONGLINE_SQLITE_SYNCHRONOUS="NORMAL")
    settings = Settings(data=folder / "data", database_url=None)
    yield Place(web, settings, commands("sh", "source.backup"), commands("sh", "cp backup.db"))


@contextmanager
def postgresql(folder: Path) -> Iterator[Place]:
    with PostgresServer() as server:
        url = server.url()
        web = Longline(folder, DATABASE_URL=url)
        settings = Settings(data=folder / "data", database_url=url)
        db = Database(settings)
        schema.upgrade(db)
        db.close()
        backup, restore = commands("bash", "pg_dump"), commands("bash", "pg_restore")
        yield Place(web, settings, backup, restore, str(server.binaries))


@pytest.mark.parametrize("database", [sqlite, postgresql], ids=lambda one: one.__name__)
def test_what_was_backed_up_comes_back_under_a_new_name(
    database: type[Place], tmp_path: Path
) -> None:
    with database(tmp_path) as place:  # type: ignore[attr-defined]
        place.web.start("web")
        try:
            round_trip(place, tmp_path)
        finally:
            place.web.client.close()
            place.web.stop("web")


def round_trip(place: Place, folder: Path) -> None:
    web = place.web
    before = Writer(Database(place.settings))
    claim = before.begin()
    before.say(claim, 3)
    the.answer(before.db, before.ask(claim), "yes")
    with before.db.transaction() as conn:
        files.store_output(conn, claim.mission_id, "brief.md", b"# Brief", task=None)
    place.does(place.backup, folder)
    kept = web.events(claim.mission_id)
    before.complete(claim)  # which the backup does not have
    after = Cursor(claim.mission_id)
    seen = list(web.client.go_on(after))
    assert len(seen) > len(kept)

    web.stop("web")
    before.db.close()
    place.does(place.restore, folder)
    web.start("web")

    assert web.events(claim.mission_id) == kept
    mission = web.client.mission(claim.mission_id)
    assert mission["status"] == "running"
    assert faults(kept) == []
    assert differences(kept, mission) == {}
    [file] = web.client.missions.files(claim.mission_id)
    assert web.client.file(file["id"]) == b"# Brief"
    with Client(web.url) as client, pytest.raises(FeedReset):
        next(client.go_on(Cursor(claim.mission_id, after=1, feed=after.feed)))
    goes_on(place)


def goes_on(place: Place) -> None:
    """New missions get new numbers, and end."""
    writer = Writer(Database(place.settings))
    claim = writer.begin()
    writer.complete(claim)
    assert place.web.client.mission(claim.mission_id)["status"] == "completed"
    writer.db.close()
