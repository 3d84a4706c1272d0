"""Dispatch: a mission that was queued is heard of by a worker that has room, in whichever way."""

import contextlib
import threading
import time
from multiprocessing.connection import wait

import pytest

from service.db import Database
from service.dispatch import choose
from service.missions import attempts, commands
from service.missions.states import Status
from tests.contract import given as the
from tests.processes import until

SOON_S = 0.5  # well below the look that is taken in any case
SURELY_S = 30.0


class Undone(Exception):
    """Rolls a transaction back."""


class Worker:
    """What a supervisor does with its dispatch, without children."""

    def __init__(self, settings, name, *, room=100):
        self.db = Database(settings)
        self.room = room
        self.claimed = []
        self.rung = threading.Event()
        self.dispatch = choose.for_worker(settings, self.db, self.rung.set, name=name)
        self.name = name

    def turn(self):
        if self.dispatch.has_news():
            while len(self.claimed) < self.room and (claim := self._claim()):
                self.claimed.append(claim.mission_id)
            self.dispatch.settled(has_room=len(self.claimed) < self.room)
        return self.claimed

    def _claim(self):
        return attempts.claim_next(self.db, self.name, lease_s=30.0)

    def close(self):
        self.dispatch.close()
        self.db.close()


@pytest.fixture(params=["local", "procrastinate"])
def dispatching(request, db, settings):
    """Settings with each way of dispatch that the database allows."""
    if request.param == "procrastinate" and db.is_sqlite:
        pytest.skip("procrastinate needs PostgreSQL")
    return settings.model_copy(update={"dispatch": request.param})


@pytest.fixture
def worker(dispatching):
    made = ready(Worker(dispatching, "worker-1"))
    yield made
    made.close()


def ready(worker):
    """A worker that has been heard of: its first look and its connections are behind it."""
    queue_one(worker.db, worker.dispatch)
    until(lambda: worker.turn(), within_s=SURELY_S, what="first claim")
    worker.claimed.clear()
    return worker


def queue_one(db, dispatch, **changes):
    with db.transaction() as conn:
        mission_id = commands.create(conn, the.WORKSPACE, the.spec(**changes))["id"]
        dispatch.hand_over(conn, mission_id)
    return mission_id


@pytest.fixture
def client(db, dispatching):
    return choose.for_clients(dispatching, db)


def test_a_queued_mission_is_heard_of_soon(db, client, worker):
    """One of ten, for the machine may be busy with other things."""

    def delay():
        begin = time.monotonic()
        mission_id = queue_one(db, client)
        until(lambda: mission_id in worker.turn(), within_s=SURELY_S, what="claim")
        return time.monotonic() - begin

    assert any(delay() < SOON_S for _ in range(10))


def test_who_waits_hears_of_a_mission_without_looking(db, client, worker):
    if not db.is_sqlite:
        pytest.skip("another thread wakes who waits")
    listening = until(worker.dispatch.waitables, within_s=SURELY_S, what="end of the quiet")
    queue_one(db, client)
    assert wait(listening, SURELY_S)


def test_what_is_rolled_back_was_never_handed_over(db, client, worker):
    with contextlib.suppress(Undone), db.transaction() as conn:
        client.hand_over(conn, commands.create(conn, the.WORKSPACE, the.spec())["id"])
        raise Undone
    mission_id = queue_one(db, client)
    until(worker.turn, within_s=SURELY_S, what="claim")
    assert worker.claimed == [mission_id]


def test_a_mission_nobody_was_told_of_is_found_by_looking(db, worker):
    """As one that was heard of by a worker that died before it claimed it."""
    mission_id = the.make_mission(db)
    until(worker.turn, within_s=SURELY_S, what="claim")
    assert worker.claimed == [mission_id]


def test_a_double_hand_over_is_claimed_once(db, client, worker):
    mission_id = queue_one(db, client)
    with db.transaction() as conn:
        client.hand_over(conn, mission_id)
    last = queue_one(db, client)
    until(lambda: last in worker.turn(), within_s=SURELY_S, what="claims")
    assert worker.claimed == [mission_id, last]


def test_a_worker_without_room_leaves_missions_to_others(db, client, worker, dispatching):
    worker.room = 1
    ids = [queue_one(db, client) for _ in range(4)]
    until(worker.turn, within_s=SURELY_S, what="claim")
    other = Worker(dispatching, "worker-2")
    until(lambda: worker.turn() and len(other.turn()) == 3, within_s=SURELY_S, what="claims")
    assert worker.claimed + other.claimed == ids
    other.close()


def test_each_of_many_missions_is_run_by_one_of_many_workers(db, client, dispatching):
    workers = [Worker(dispatching, f"worker-{i}") for i in range(3)]
    ids = [queue_one(db, client) for _ in range(30)]

    def all_claimed():
        return sum(len(worker.turn()) for worker in workers) == len(ids)

    until(all_claimed, within_s=SURELY_S, what="claims")
    assert sorted(taken for worker in workers for taken in worker.claimed) == ids
    for worker in workers:
        worker.close()


def test_a_dispatch_that_was_cut_off_hears_again(db, server, client, worker, settings):
    if db.is_sqlite:
        pytest.skip("there is no connection to lose")
    server.cut_off(settings)
    for _ in range(3):
        mission_id = queue_one(db, client)
        until(lambda wanted=mission_id: wanted in worker.turn(), within_s=SURELY_S, what="claim")


def test_a_mission_that_is_handed_back_is_heard_of_again(db, client, worker):
    queue_one(db, client)
    until(worker.turn, within_s=SURELY_S, what="claim")
    [mission_id] = worker.claimed
    claimed_by_hand = the.mission(db, mission_id)["attempt"]
    with db.transaction() as conn:
        status = attempts.lose(conn, mission_id, reason="its worker died")
        client.hand_over(conn, mission_id)
    assert status is Status.QUEUED
    until(lambda: len(worker.turn()) == 2, within_s=SURELY_S, what="claim")
    assert the.mission(db, mission_id)["attempt"] == claimed_by_hand + 1
