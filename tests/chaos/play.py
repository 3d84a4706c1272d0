"""One fault run: missions, followers and answers, while faults go on; and what holds at the end."""

import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.chaos.faults import Faults
from tests.chaos.stage import DATABASE, Stage, left_over
from tests.contract import given as the
from tests.folding import differences, faults
from tests.missions import mission, task
from tests.processes import until

SETTLED_WITHIN_S = 150.0
ENDED = ("completed", "failed", "cancelled")


def play(
    folder: Path,
    database: str,
    seed: int,
    seconds: float,
    *,
    nodes: int = 3,
    missions: int = 30,
    followers: int = 50,
    outage_s: float = 40.0,
    pause_s: float = 1.0,
) -> list[str]:
    """Run it and check it. Returns what went wrong on purpose. Raises AssertionError with the rest."""
    print(f"seed {seed} on {database}", flush=True)
    with Stage(folder, database, nodes=nodes) as stage:
        told = _run(stage, seed, seconds, missions, followers, outage_s, pause_s)
        postgres = stage.postgres
        for node in stage.nodes:
            node.__exit__()
        stage.db.close()
        assert until(lambda: not left_over(folder / "node-"), what="processes that are gone")
        if postgres is not None:
            count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            until(lambda: postgres.execute(count, DATABASE) == [(0,)], what="no connection")
    return told


def _run(
    stage: Stage,
    seed: int,
    seconds: float,
    missions: int,
    followers: int,
    outage_s: float,
    pause_s: float,
) -> list[str]:
    ending, settled = threading.Event(), threading.Event()
    clients = [Follower(stage, seed + i, settled) for i in range(followers)]
    human = Human(stage, seed, settled)
    breaking = Faults(stage, seed, ending, outage_s=outage_s, pause_s=pause_s)
    breaker = threading.Thread(target=breaking.run)
    ids = Posting(stage, seed, missions, over_s=seconds / 2)
    breaker.start()
    ids.join()
    ending.wait(max(0.0, seconds / 2))
    ending.set()
    breaker.join()
    for node in stage.nodes:
        node.all_started()
    until(
        lambda: all(the.mission(stage.db, i)["status"] in ENDED for i in ids.made),
        within_s=SETTLED_WITHIN_S,
        what=f"end of all missions, after {breaking.told}",
    )
    head = len(the.events(stage.db))
    until(
        lambda: all(len(client.seen) >= head for client in clients),
        within_s=60,
        what="followers that have seen all",
    )
    settled.set()
    human.join()
    _check(stage, ids.made, clients, missions)
    return breaking.told


def _check(stage: Stage, ids: list[int], clients: list["Follower"], missions: int) -> None:
    log = the.events(stage.db)
    seqs = [event["seq"] for event in log]
    assert seqs == list(range(1, len(log) + 1)), "the log has holes"
    for client in clients:
        client.join()
        assert client.seen == seqs, "a follower has not seen what the log has"
    assert len(ids) == len(set(ids)) == missions, "a mission was made twice, or not at all"
    assert len({event["mission"] for event in log}) == missions
    for mission_id in ids:
        own = [event for event in log if event["mission"] == mission_id]
        assert faults(own) == [], mission_id
        assert differences(own, the.mission(stage.db, mission_id)) == {}, mission_id
        outputs = Counter(e["task"] for e in own if (e["kind"], e["name"]) == ("OUTPUT", "task"))
        assert set(outputs.values()) <= {1}, f"mission {mission_id} ran a finished task again"
    ended = Counter(the.mission(stage.db, mission_id)["status"] for mission_id in ids)
    print(f"{len(log)} events, missions {dict(ended)}", flush=True)


class Posting(threading.Thread):
    """Makes missions over a while, each under a key, until it is told that it was made."""

    def __init__(self, stage: Stage, seed: int, count: int, *, over_s: float) -> None:
        super().__init__()
        self.made: list[int] = []
        self._stage, self._count, self._gap_s = stage, count, over_s / count
        self._chance = random.Random(seed)
        self.start()

    def run(self) -> None:
        for n in range(self._count):
            reviewed = n % 3 == 0
            spec = mission(task("first"), task("second", human_input=reviewed), title=f"{n}")
            self.made.append(self._post(spec, key=f"mission-{n}"))
            time.sleep(self._gap_s)

    def _post(self, spec: dict[str, Any], key: str) -> int:
        while True:
            headers = {"Idempotency-Key": key}
            made = self._stage.ask_any(
                self._chance, "/missions", method="POST", json=spec, headers=headers
            )
            if made is not None:
                return int(made.json()["id"])
            time.sleep(0.2)


class Follower(threading.Thread):
    """Follows the workspace's feed over whichever web process answers, by its cursor alone."""

    def __init__(self, stage: Stage, seed: int, settled: threading.Event) -> None:
        super().__init__(daemon=True)
        self.seen: list[int] = []
        self._stage, self._settled = stage, settled
        self._chance = random.Random(seed)
        self.start()

    def run(self) -> None:
        after = 0
        while not self._settled.is_set():
            query = {"after": after, "wait": 4}
            answer = self._stage.ask_any(self._chance, "/events", params=query)
            if answer is None:
                self._settled.wait(0.2)
                continue
            page = answer.json()
            self.seen += [event["seq"] for event in page["events"]]
            after = page["next"]


class Human(threading.Thread):
    """Answers what is asked, twice: the second answer changes nothing."""

    def __init__(self, stage: Stage, seed: int, settled: threading.Event) -> None:
        super().__init__(daemon=True)
        self._stage, self._settled = stage, settled
        self._chance = random.Random(seed)
        self.start()

    def run(self) -> None:
        while not self._settled.wait(0.3):
            answer = self._stage.ask_any(self._chance, "/requests?status=pending")
            for request in answer.json()["requests"] if answer else []:
                for _ in range(2):
                    path = f"/requests/{request['id']}"
                    self._stage.ask_any(self._chance, path, method="POST", json={"answer": ""})
