"""The log with many processes at it: no reader ever sees a hole, and no dead writer leaves one."""

import os
import random
import signal
import time
from collections import Counter
from multiprocessing.connection import Connection

import orjson

from service.config import Settings
from service.db import Database
from service.events import log
from tests.contract import given as the
from tests.contract.given import WORKSPACE, delta
from tests.contract.processes import DEADLINE_S, receive, run_together, started

WRITERS = 8
READERS = 4
TRANSACTIONS = 60  # of each writer
PAUSE_S = 0.002  # of a reader that has seen all there is


class Undone(Exception):
    """Rolls a transaction back."""


def schedule(writer: int) -> list[tuple[int, bool]]:
    """A writer's transactions, the same in every run: how many events, and whether they stay."""
    chance = random.Random(writer)
    return [(chance.randint(1, 12), chance.random() < 0.8) for _ in range(TRANSACTIONS)]


def write(settings: Settings, writer: int, mission_id: int) -> int:
    """Follow the schedule. Returns how many events stayed."""
    db = Database(settings)
    stayed = 0
    for size, stays in schedule(writer):
        batch = [delta(f"{writer}:{stayed + i}") for i in range(size)]
        try:
            with db.transaction() as conn:
                log.append(conn, mission_id, batch, fence=None)
                if not stays:
                    raise Undone
            stayed += size
        except Undone:
            pass
    db.close()
    return stayed


def follow(settings: Settings, total: int) -> list[tuple[int, int, str]]:
    """Read from 0 to `total` as a client does, and tell each event's mission, mseq and text.

    Raises AssertionError at the first page that does not go on where the cursor stands.
    """
    db = Database(settings)
    seen: list[tuple[int, int, str]] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(seen) < total:
        assert time.monotonic() < deadline, f"stands at {len(seen)} of {total}"
        with db.reading() as conn:
            head = log.head(conn, WORKSPACE).head
            page = [orjson.loads(text) for _, text in log.read(conn, WORKSPACE, len(seen), head)]
        expected = list(range(len(seen) + 1, len(seen) + 1 + len(page)))
        assert [event["seq"] for event in page] == expected
        assert page or head == len(seen), "the head promises events that are not there"
        seen += [(e["mission"], e["mseq"], e["data"].get("delta", "")) for e in page]
        if not page:
            time.sleep(PAUSE_S)
    db.close()
    return seen


def test_readers_see_every_event_once_and_in_order_while_eight_processes_write(db, settings):
    """Two writers share a mission, so that both counters are fought over."""
    ids = [the.make_mission(db) for _ in range(WRITERS // 2)]
    stays = [sum(size for size, stays in schedule(i) if stays) for i in range(WRITERS)]
    total = len(ids) + sum(stays)
    writers = [(write, settings, i, ids[i // 2]) for i in range(WRITERS)]
    readers = [(follow, settings, total)] * READERS
    results = run_together([*readers, *writers])
    assert results[READERS:] == stays
    first = results[0]
    assert all(seen == first for seen in results[:READERS])
    check_missions(first, ids)
    check_writers(first, stays)
    with db.reading() as conn:
        assert log.head(conn, WORKSPACE).head == total


def check_missions(seen, ids) -> None:
    for mission_id in ids:
        numbers = [mseq for mission, mseq, _text in seen if mission == mission_id]
        assert numbers == list(range(1, len(numbers) + 1))


def check_writers(seen, stays) -> None:
    """Each writer's events are there, all of them, in the order in which it wrote them."""
    counts: Counter[int] = Counter()
    for _mission, _mseq, text in seen:
        if text:
            writer, place = map(int, text.split(":"))
            assert place == counts[writer]
            counts[writer] += 1
    assert [counts[writer] for writer in range(WRITERS)] == stays


def append_and_hang(pipe: Connection, settings: Settings, mission_id: int) -> None:
    """Append without ever committing."""
    with Database(settings).transaction() as conn:
        log.append(conn, mission_id, [delta("never")] * 3, fence=None)
        pipe.send("appended")
        signal.pause()


def append_for_ever(pipe: Connection, settings: Settings, mission_id: int) -> None:
    pipe.send("here")
    db = Database(settings)
    while True:
        with db.transaction() as conn:
            log.append(conn, mission_id, [delta("a"), delta("b")], fence=None)


def test_a_writer_killed_in_mid_transaction_leaves_no_hole(db, settings):
    mission_id = the.make_mission(db)
    with started(append_and_hang, settings, mission_id) as (process, pipe):
        assert receive(pipe) == "appended"
        assert len(the.events(db)) == 1  # uncommitted events are not seen
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with db.transaction() as conn:
            log.append(conn, mission_id, [delta("after")], fence=None)
    assert [(e["seq"], e["mseq"]) for e in the.events(db)] == [(1, 1), (2, 2)]
    assert the.events(db)[-1]["data"] == {"delta": "after"}


def test_a_writer_killed_at_any_moment_leaves_whole_batches(db, settings):
    mission_id = the.make_mission(db)
    for kills in range(1, 4):
        seen = len(the.events(db))
        with started(append_for_ever, settings, mission_id) as (process, pipe):
            receive(pipe)
            wait_for_events(db, seen + 20 * kills)
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        events = the.events(db)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert [event["data"]["delta"] for event in events[1:]] == ["a", "b"] * (len(events) // 2)


def wait_for_events(db: Database, count: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with db.reading() as conn:
            if log.head(conn, WORKSPACE).head >= count:
                return
        assert time.monotonic() < deadline
        time.sleep(PAUSE_S)
