"""Following survives what networks do: each event once, in order, none missing – or a clear error."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, update

from models import events as event_rows
from models import workspaces
from service.client import (
    ApiError,
    AsyncClient,
    Client,
    CursorAhead,
    CursorExpired,
    Event,
    FeedReset,
)
from service.client.feed import Cursor
from service.events import naming
from tests.chaos import ChaosProxy
from tests.client.writer import Writer
from tests.contract.given import SPEC
from tests.folding import differences, faults
from tests.processes import Longline, until

pytestmark = [pytest.mark.processes, pytest.mark.waits]

BAD = ("pass", "cut", "pass", "page_502", "drop", "pass", "page_200", "pass", "old", "pass")


class Reader(threading.Thread):
    """A client that follows in a thread of its own."""

    def __init__(self, url: str, mission: int | None, **where: Any) -> None:
        super().__init__(daemon=True)
        self.client = Client(url)
        self.cursor = Cursor(mission, **where)
        self.events: list[Event] = []
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            for event in self.client.go_on(self.cursor):
                self.events.append(event)
        except Exception as error:  # noqa: BLE001 (shown by the test)
            self.error = error

    def finish(self) -> list[Event]:
        self.join(30)
        assert not self.is_alive(), f"it still follows, after {self.cursor.after}"
        self.client.close()
        if self.error is not None:
            raise self.error
        return self.events


@pytest.fixture
def proxy(web: Longline) -> Iterator[ChaosProxy]:
    with ChaosProxy(web.url) as running:
        yield running


def test_cut_answers_and_a_proxys_own_pages_lose_nothing_and_double_nothing(
    web: Longline, writer: Writer, proxy: ChaosProxy
) -> None:
    proxy.use(*BAD)
    claim = writer.begin()
    reader = Reader(proxy.url, claim.mission_id)
    for _ in range(10):
        seen = len(reader.events)
        writer.say(claim, 3)
        until(lambda: len(reader.events) > seen, what="events")  # noqa: B023
    writer.complete(claim)

    events = reader.finish()
    assert set(proxy.done) >= set(BAD)
    assert faults(events) == []
    assert events == web.events(claim.mission_id)
    assert differences(events, web.client.mission(claim.mission_id)) == {}


def test_a_server_that_restarts_twice_loses_nothing(web: Longline, writer: Writer) -> None:
    claim = writer.begin()
    reader = Reader(web.url, claim.mission_id)
    until(lambda: reader.events, what="first events")
    web.stop("web")  # held polls are answered before it goes
    writer.say(claim, 5)
    web.start("web")
    until(lambda: len(reader.events) >= 7, what="events behind the first restart")
    web.kill("web")  # and here they are cut
    writer.say(claim, 5)
    web.start("web")
    writer.complete(claim)

    assert reader.finish() == web.events(claim.mission_id)


def test_a_prune_before_the_cursor_goes_unnoticed(own_web: Longline, own_writer: Writer) -> None:
    claim = own_writer.begin()
    own_writer.say(claim, 20)
    reader = Reader(own_web.url, claim.mission_id)
    until(lambda: len(reader.events) == 22, what="events")
    forget(own_writer, before=10)
    own_writer.complete(claim)

    assert [event["mseq"] for event in reader.finish()] == list(range(1, 26))  # two at each end


def test_a_prune_past_the_cursor_says_what_is_lost(own_web: Longline, own_writer: Writer) -> None:
    claim = own_writer.begin()
    own_writer.say(claim, 20)
    forget(own_writer, before=10)
    with Client(own_web.url) as client, pytest.raises(CursorExpired) as lost:
        next(client.follow(claim.mission_id, after=3))
    assert lost.value.oldest == 10
    own_writer.complete(claim)
    with Client(own_web.url) as client:  # who has read nothing begins with the oldest there is
        assert next(client.follow(claim.mission_id))["seq"] == 10


def test_an_older_database_in_its_place_is_an_error_whatever_its_numbers_are(
    own_web: Longline, own_writer: Writer
) -> None:
    claim = own_writer.begin()
    own_writer.say(claim, 5)
    backup = own_web.folder / "backup.db"
    copy(own_web.folder / "data" / "longline.db", backup)
    own_writer.say(claim, 10)
    reader = Reader(own_web.url, claim.mission_id)
    until(lambda: len(reader.events) == 17, what="events")

    restore(own_web, own_writer, backup)
    with pytest.raises(CursorAhead):
        reader.finish()

    ahead = Cursor(claim.mission_id, after=17, feed=reader.cursor.feed)
    with own_writer.db.transaction() as conn:
        assert naming.rename(conn) == ["default"]
    own_writer.say(claim, 20)  # past the cursor: by the numbers alone nobody could tell
    with Client(own_web.url) as client, pytest.raises(FeedReset):
        next(client.go_on(ahead))


def test_what_no_waiting_helps_is_an_error_at_once(web: Longline) -> None:
    with Client(web.url) as client, pytest.raises(ApiError) as refused:
        next(client.follow(999_999))
    assert (refused.value.status, refused.value.code) == (404, "not_found")


def test_an_outage_longer_than_the_patience_is_an_error() -> None:
    with (
        ChaosProxy("http://127.0.0.1:1") as proxy,
        Client(proxy.url) as client,
        pytest.raises(ApiError) as error,
    ):
        next(client.follow(1, patience_s=0.3))
    assert error.value.status == 502


def test_a_workspace_is_followed_over_all_its_missions(web: Longline, writer: Writer) -> None:
    head = web.client.get("/events", after="now", wait=0)["next"]
    first, second = writer.begin(), writer.begin()
    writer.complete(second)
    writer.complete(first)
    with Client(web.url) as client:
        events = list(take(client.follow(kinds=["STATUS"], after=head), 6))
    ids = [claim.mission_id for claim in (first, first, second, second, second, first)]
    assert [event["mission"] for event in events] == ids


def test_the_async_client_follows_answers_and_waits(
    web: Longline, writer: Writer, proxy: ChaosProxy
) -> None:
    proxy.use(*BAD)

    async def converse() -> list[Event]:
        async with AsyncClient(proxy.url) as client:
            made = await client.missions.create(SPEC)
            claim = writer.claim()
            writer.ask(claim)
            seen = []
            async for event in client.follow(made["id"]):
                seen.append(event)
                if event["kind"] == "HUMAN_INPUT_REQUEST":
                    await client.answer(event["data"]["id"], "yes")
                    writer.complete(claim)
            ended = await client.wait_until(made["id"])
            assert ended["status"] == "completed"
            return seen

    events = asyncio.run(converse())
    assert events == web.events(events[0]["mission"])


def test_a_mission_is_made_once_and_answered_once_behind_a_bad_proxy(
    web: Longline, writer: Writer, proxy: ChaosProxy
) -> None:
    before = len(web.client.missions(limit=200))
    with Client(proxy.url) as client:
        for fault in ("cut", "cut_without_length", "page_502", "drop", "page_200"):
            proxy.use(fault, "pass")
            mission = client.missions.create(SPEC)
            claim = writer.claim()
            request_id = writer.ask(claim)
            proxy.use(fault, "pass")
            assert client.answer(request_id, fault)["answer"] == fault
            writer.complete(claim)
            assert client.wait_until(mission["id"], within_s=60)["status"] == "completed"
    made = web.client.missions(limit=200)
    assert len(made) == before + 5
    for mission in made[:5]:
        assert faults(web.events(mission["id"])) == []


def test_waiting_has_an_end(web: Longline, writer: Writer) -> None:
    claim = writer.begin()
    with pytest.raises(TimeoutError, match="is running after"):
        web.client.wait_until(claim.mission_id, within_s=0.2)
    writer.complete(claim)
    with pytest.raises(ValueError, match="is completed, and that is its end"):
        web.client.wait_until(claim.mission_id, "waiting")


def take(events: Iterator[Event], count: int) -> Iterator[Event]:
    for _ in range(count):
        yield next(events)


def forget(writer: Writer, *, before: int) -> None:
    """As retention does."""
    with writer.db.transaction() as conn:
        conn.execute(delete(event_rows).where(event_rows.c.seq < before))
        conn.execute(update(workspaces).values(oldest=before))


def copy(source: Any, target: Any) -> None:
    """A backup of a file that is in use."""
    with sqlite3.connect(source) as read, sqlite3.connect(target) as write:
        read.backup(write)
    read.close()
    write.close()


def restore(web: Longline, writer: Writer, backup: Any) -> None:
    """The service is stopped, the file put in place, the service started."""
    web.stop("web")
    writer.db.close()
    file = web.folder / "data" / "longline.db"
    for old in file.parent.glob("longline.db*"):
        old.unlink()
    shutil.copy(backup, file)
    web.start("web")
