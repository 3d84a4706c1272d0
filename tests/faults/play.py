"""One fault run: missions, followers and answers, while faults go on; and what holds at the end."""

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.contract import given as the
from tests.faults.breaking import Breaking, Lengths
from tests.faults.followers import Followers, seen
from tests.faults.people import Human, Posting
from tests.faults.stage import Stage
from tests.folding import ENDED, differences, faults
from tests.processes import until

# Behind the last fault. A mission of which three workers were lost takes as many leases.
SETTLED_WITHIN_S = 300.0
CAUGHT_UP_WITHIN_S = 120.0

Event = dict[str, Any]


def play(
    folder: Path,
    database: str,
    seed: int,
    seconds: float,
    *,
    nodes: int = 3,
    missions: int = 30,
    followers: int = 50,
    lengths: Lengths | None = None,
) -> str:
    """Run it and check it. Returns what happened. Raises AssertionError with what does not hold.

    seconds: for how long faults go on at least; each kind happens once in any case.
    """
    print(f"fault run on {database}, seed {seed}", flush=True)
    with Stage(folder, database, nodes=nodes) as stage:
        breaking = Breaking(stage, seed, seconds, lengths or Lengths())
        run = Run(stage, seed, missions=missions, followers=followers, over_s=seconds / 2)
        try:
            breaking.run()
            run.until_settled()
            told = run.check()
            stage.end()
        finally:
            run.end()
            print(f"what went wrong: {', '.join(breaking.told)}", flush=True)
    return told


class Run:
    """The clients of one run, and what they and the table say at its end."""

    def __init__(
        self, stage: Stage, seed: int, *, missions: int, followers: int, over_s: float
    ) -> None:
        self.settled = threading.Event()
        self._stage, self._missions = stage, missions
        self._followers = Followers([node.port for node in stage.nodes], seed, followers)
        self._human = Human(stage, seed, self.settled)
        self._posting = Posting(stage, seed, missions, over_s=over_s)
        for person in self._people:
            person.start()

    @property
    def _people(self) -> list[Any]:
        return [self._human, self._posting]

    def until_settled(self) -> None:
        """Wait until all missions have ended and all have heard of it."""
        for node in self._stage.nodes:
            node.all_started()
        self._posting.join(SETTLED_WITHIN_S)
        until(self._all_ended, within_s=SETTLED_WITHIN_S, what="end of all missions")
        self.settled.set()
        for person in self._people:
            person.join(CAUGHT_UP_WITHIN_S)

    def end(self) -> None:
        """Whatever happened: nobody of it is left."""
        self.settled.set()
        self._followers.__exit__()

    def _all_ended(self) -> bool:
        made = self._posting.made
        return len(made) == self._missions and all(
            the.mission(self._stage.db, mission_id)["status"] in ENDED for mission_id in made
        )

    def check(self) -> str:
        """What holds, or AssertionError."""
        log = the.events(self._stage.db)
        made = self._posting.made
        assert [event["seq"] for event in log] == list(range(1, len(log) + 1)), "holes"
        self._check_followers(log)
        assert len(set(made)) == len(made), "one mission came from two keys"
        assert {event["mission"] for event in log} == set(made), "a mission was made twice"
        for mission_id in made:
            self._check_mission(mission_id, [e for e in log if e["mission"] == mission_id])
        assert [answer for person in self._people for answer in person.caller.odd] == []
        ended = Counter(the.mission(self._stage.db, i)["status"] for i in made)
        attempts = sum(the.mission(self._stage.db, i)["attempt"] for i in made)
        return f"{len(log)} events, {attempts} attempts, missions {dict(ended)}"

    def _check_followers(self, log: Sequence[Event]) -> None:
        told = self._followers.end(len(log), within_s=CAUGHT_UP_WITHIN_S)
        stored = [seen(event) for event in log]
        for followed in told["seen"]:
            assert followed == stored, "a follower has not seen what the log has"
        assert told["odd"] == []

    def _check_mission(self, mission_id: int, own: Sequence[Event]) -> None:
        assert faults(own) == [], mission_id
        mission = the.mission(self._stage.db, mission_id)
        assert differences(own, mission) == {}, mission_id
        # Whoever lost three workers may fail; no fault is an error of the run itself.
        assert mission["status"] == "completed" or mission["error"]["code"] == "worker_lost"
        assert again(own) == [], f"mission {mission_id} ran a finished task again"


def again(events: Sequence[Event]) -> list[str]:
    """Tasks that something was said of behind their end, other than that they are skipped."""
    done: set[str] = set()
    found = []
    for event in events:
        name = event.get("task")
        if name in done and event["name"] != "task.skipped":
            found.append(f"{name}: {event['kind']} {event['name']} with seq {event['seq']}")
        if event["name"] == "task.completed":
            done.add(name or "")
    return found
