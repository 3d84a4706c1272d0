"""From the commit of an event to its arrival at a client that long-polls, one event at a time.

The client is a process of its own: it must not share an interpreter with the writer. Both read
CLOCK_MONOTONIC, which is the same for all processes of a machine.
"""

import http.client
import json
import multiprocessing
import time
from multiprocessing.connection import Connection

from service.config import Settings
from service.db import Database
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.missions import commands
from service.missions.spec import MissionSpec
from tests.bench.table import Measured
from tests.missions import mission
from tests.processes import Longline

EVENTS = 1000
PAUSE_S = 0.005  # between events: one at a time, each finds the poll held


def measure(longline: Longline) -> Measured:
    """longline: a web process alone; a worker would run the mission that we write for."""
    settings = Settings(data=longline.folder / "data")
    db = Database(settings)
    with db.transaction() as conn:
        spec = MissionSpec.model_validate(mission())
        mission_id = commands.create(conn, 1, spec)
        start = log.head(conn, 1).head
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    client = context.Process(target=_follow, args=(longline.port, start, EVENTS, theirs))
    client.start()
    round_trips = ours.recv()
    committed = _write(db, mission_id)
    arrived = ours.recv()
    client.join()
    db.close()
    samples = [(arrived[seq] - at) / 1e6 for seq, at in committed.items()]
    return Measured("commit to client", samples, "GET /healthz, same connection", round_trips)


def _write(db: Database, mission_id: int) -> dict[int, int]:
    """Append events one by one. When each was committed, in ns, by seq."""
    committed = {}
    for n in range(EVENTS):
        time.sleep(PAUSE_S)
        event = NewEvent(Kind.STREAM, "text", {"delta": f"word {n} "}, "writer", "draft", "c1")
        with db.transaction() as conn:
            seq = log.append(conn, mission_id, [event], fence=None).last_seq
        committed[seq] = time.monotonic_ns()
    return committed


def _follow(port: int, after: int, count: int, pipe: Connection) -> None:
    """The client: first some plain requests as a baseline, then polls until all has arrived."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    pipe.send([_round_trip(connection) for _ in range(200)])
    arrived: dict[int, int] = {}
    while len(arrived) < count:
        connection.request("GET", f"/events?after={after}&wait=20")
        body = connection.getresponse().read()
        now = time.monotonic_ns()
        page = json.loads(body)
        arrived |= {event["seq"]: now for event in page["events"]}
        after = page["next"]
    pipe.send(arrived)


def _round_trip(connection: http.client.HTTPConnection) -> float:
    begin = time.monotonic_ns()
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    return (time.monotonic_ns() - begin) / 1e6
