"""What the log costs: appends against bare sqlite3, many writers at once, reading it all again over HTTP."""

import http.client
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Session

from models import events as event_rows
from service import clock, schema
from service.config import Settings
from service.db import Database
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.missions import commands
from service.missions.spec import MissionSpec
from tests.bench.running import start_writer
from tests.bench.sides import SYNCHRONOUS, Ours
from tests.bench.table import Figure, quantile
from tests.missions import mission

BATCHES, BATCH = 1500, 10
STORED = 60_000
PAGE = 1000
WRITERS, WRITES, WRITES_PER_S = 16, 250, 50


def append(folder: Path) -> list[Figure]:
    """Batches of ten rows: ours, and the same rows put into the same table by hand."""
    db, mission_id = _database(folder / "append")
    batch = [
        NewEvent(Kind.STREAM, "text", {"delta": f"word {n} "}, "writer", "draft", "c1")
        for n in range(BATCH)
    ]

    def ours() -> None:
        with db.transaction() as conn:
            log.append(conn, mission_id, batch, fence=None)

    bare, _ = _database(folder / "bare")
    raw = _raw(folder / "bare" / "longline.db")
    rounds = [(_per_s(ours), _per_s(lambda: next(raw))) for _ in range(3)]
    for each in (db, bare):
        each.close()
    mine, theirs = max(a for a, _ in rounds) * BATCH, max(b for _, b in rounds) * BATCH
    return [Figure("append, 10 rows", "events/s", mine, "bare sqlite3", theirs, at_least=0.5)]


def writers(folder: Path) -> list[Figure]:
    """Sixteen processes, each on a mission of its own at its own pace, in one file."""
    with Ours(folder / "writers") as side, tempfile.TemporaryDirectory() as name:
        _, task = side.channels(WRITERS)
        running = []
        for number, mission_id in enumerate(task["channels"]):
            times = Path(name) / f"{number}"
            times.write_bytes(bytes(8 * WRITES))
            one = {"channels": [mission_id], "times": str(times), "events": WRITES}
            running.append(start_writer({**task, **one, "per_s": WRITES_PER_S, "sizes": [24]}))
        for writer in running:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
        wrote = [json.loads(writer.communicate()[0]) for writer in running]
    row, took = "16 writers × 50/s", [ms for one in wrote for ms in one["took"]]
    return [
        Figure(row, "p50 ms", quantile(took, 50)),
        Figure(row, "p99 ms", quantile(took, 99), at_most=10),
        Figure(row, "longest ms", max(took)),
        Figure(row, "failed (BUSY)", sum(w.returncode != 0 for w in running), at_most=0),
    ]


def replay(folder: Path) -> list[Figure]:
    """The whole log, page by page: over HTTP, by splicing raw rows, and by ORM and json."""
    with Ours(folder / "replay") as side:
        _, task = side.channels(1)
        _fill(side.data, task["channels"][0])
        file = side.data / "longline.db"
        over_http = max(_events_per_s(lambda: _over_http(side.port)) for _ in range(2))
        spliced = max(_events_per_s(lambda: _spliced(file)) for _ in range(2))
        by_orm = _events_per_s(lambda: _by_orm(file))
    row = "replay, page 1000"
    return [
        Figure(row, "events/s", over_http, "raw rows spliced", spliced, at_least=0.5),
        Figure(row, "events/s", over_http, "ORM and json", by_orm, at_least=5),
    ]


def _database(folder: Path) -> tuple[Database, int]:
    settings = Settings(data=folder, database_url=None, sqlite_synchronous=SYNCHRONOUS)
    db = Database(settings)
    schema.upgrade(db)
    with db.transaction() as conn:
        return db, commands.create(conn, 1, MissionSpec.model_validate(mission()))["id"]


def _per_s(once: Callable[[], None]) -> float:
    begin = time.perf_counter()
    for _ in range(BATCHES):
        once()
    return BATCHES / (time.perf_counter() - begin)


def _raw(file: Path) -> Iterator[None]:
    """What an append has to do at least: two counters, ten rows, one transaction."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
    names = (
        "workspace_id, seq, mission_id, mseq, attempt, kind, name, at_ms, agent, task, call, data"
    )
    statement = f"INSERT INTO events ({names}) VALUES ({','.join('?' * 12)})"
    while True:
        connection.execute("BEGIN IMMEDIATE")
        (mseq,) = connection.execute(
            "UPDATE missions SET mseq = mseq + 10 WHERE id = 1 RETURNING mseq"
        ).fetchone()
        (head,) = connection.execute(
            "UPDATE workspaces SET head = head + 10 WHERE id = 1 RETURNING head"
        ).fetchone()
        same = (0, "STREAM", "text", clock.now_ms(), "writer", "draft", "c1")
        connection.executemany(
            statement,
            [
                (1, head - 9 + n, 1, mseq - 9 + n, *same, json.dumps({"delta": f"word {n} "}))
                for n in range(10)
            ],
        )
        connection.execute("COMMIT")
        yield


def _fill(data: Path, mission_id: int) -> None:
    db = Database(Settings(data=data, database_url=None, sqlite_synchronous="NORMAL"))
    event = NewEvent(Kind.STREAM, "text", {"delta": "a word and another "}, "writer", "draft", "c1")
    for _ in range(STORED // PAGE):
        with db.transaction() as conn:
            log.append(conn, mission_id, [event] * PAGE, fence=None)
    db.close()


def _events_per_s(once: Callable[[], int]) -> float:
    begin = time.perf_counter()
    count = once()
    return count / (time.perf_counter() - begin)


def _over_http(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    after, count = 0, 0
    while True:
        connection.request("GET", f"/events?after={after}&limit={PAGE}&wait=0")
        body = connection.getresponse().read()
        envelope = body[body.rindex(b"]") :]
        after = int(envelope.split(b'"next":')[1].split(b",")[0])
        count += body.count(b'"mseq":')
        if b'"more":false' in envelope:
            return count


def _pages(read: Callable[[int], list[str]]) -> int:
    count = 0
    while page := read(count):
        b = f'{{"events":[{",".join(page)}]}}'.encode()
        count += b.count(b'"mseq":')
    return count


def _spliced(file: Path) -> int:
    """The least that can be done: rows out of sqlite3, their stored JSON put between their columns."""
    connection = sqlite3.connect(file)
    query = (
        "SELECT seq, mission_id, mseq, attempt, kind, name, at_ms, agent, task, call, data"
        f" FROM events WHERE workspace_id = 1 AND seq > ? ORDER BY seq LIMIT {PAGE}"
    )

    def read(after: int) -> list[str]:
        return [
            f'{{"seq":{seq},"mission":{of},"mseq":{mseq},"attempt":{attempt},"kind":"{kind}",'
            f'"name":"{name}","at":"{clock.rfc3339(at)}","agent":"{agent}","task":"{task}",'
            f'"call":"{call}","data":{data}}}'
            for seq, of, mseq, attempt, kind, name, at, agent, task, call, data in
            connection.execute(query, (after,))
        ]  # fmt: skip

    return _pages(read)


def _by_orm(file: Path) -> int:
    """As it is usually written: objects of an ORM, and json for what is in them."""

    class Base(DeclarativeBase):
        pass

    class Event(Base):
        __table__ = event_rows

    columns = [column.name for column in event_rows.columns if column.name != "data"]
    with Session(create_engine(f"sqlite:///{file}")) as session:

        def read(after: int) -> list[str]:
            query = select(Event).where(event_rows.c.seq > after)
            found = session.scalars(query.order_by(event_rows.c.seq).limit(PAGE)).all()
            texts = [
                json.dumps({n: getattr(e, n) for n in columns} | {"data": json.loads(e.data)})
                for e in found
            ]
            session.expunge_all()
            return [text.replace('"mseq": ', '"mseq":') for text in texts]

        return _pages(read)


STORAGE = {"append": append, "writers": writers, "replay": replay}
