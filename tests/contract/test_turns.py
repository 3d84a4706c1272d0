"""Whose turn a job is, as the workers see it without a word between them."""

import pytest

from service import clock
from service.dispatch import choose, distributed
from service.dispatch.turns import Turns
from service.worker import registry
from service.worker.identity import Identity
from tests.processes import until

RENEW_S = 5.0
NEVER_S = 1e6
NAMES = ["worker-1", "worker-2", "worker-3"]


@pytest.fixture
def living(db):
    for name in NAMES:
        with db.transaction() as conn:
            registry.sign_on(conn, Identity(name, "host", 1, 1), concurrency=1)
    return db


def turns(db, name):
    made = Turns(db, name, renew_s=RENEW_S)
    made.meet()
    return made


def goers(db, names, job):
    return [name for name in names if turns(db, name).is_ours(job)]


def test_each_job_is_one_worker_s_turn_and_all_have_theirs(living):
    assert [goers(living, NAMES, job) for job in range(3)] == [[name] for name in NAMES]


@pytest.mark.parametrize("gone", ["signed off", "silent"])
def test_no_turn_is_that_of_a_worker_that_has_gone(living, gone, monkeypatch):
    if gone == "signed off":
        with living.transaction() as conn:
            registry.sign_off(conn, "worker-2")
    else:
        later = clock.now_ms() + int(4 * RENEW_S * 1000)
        monkeypatch.setattr(clock, "now_ms", lambda: later)
        for name in ("worker-1", "worker-3"):
            with living.transaction() as conn:
                registry.note_alive(conn, name, appends=[])
    left = ["worker-1", "worker-3"]
    assert [goers(living, left, job) for job in range(4)] == [[name] for name in left * 2]


def test_who_is_not_in_the_table_has_turns_too(db):
    assert goers(db, ["worker-9"], 5) == ["worker-9"]


@pytest.fixture
def dispatching(living, settings):
    if living.is_sqlite:
        pytest.skip("procrastinate needs PostgreSQL")
    return settings.model_copy(update={"dispatch": "procrastinate"})


@pytest.fixture
def workers(living, dispatching, monkeypatch):
    """Of the three the first two, who hear of jobs by listening alone: they look at nothing by themselves."""
    monkeypatch.setattr(distributed, "LOOK_EVERY_S", NEVER_S)
    monkeypatch.setattr(distributed, "POLL_S", NEVER_S)
    made = {
        name: choose.for_worker(dispatching, living, lambda: None, name=name) for name in NAMES[:2]
    }
    for worker in made.values():
        worker.has_news()  # it sees who is there
        until(lambda ear=worker._ear: ear.hears, what="listening")
    yield made
    for worker in made.values():
        worker.close()


def test_all_hear_of_a_job_and_whose_turn_it_is_goes_at_once(living, dispatching, workers):
    """The others look a moment later, also where it is the turn of the third, who does not answer."""
    client = choose.for_clients(dispatching, living)
    for _ in range(6):
        with living.transaction() as conn:
            client.hand_over(conn, 1)
            job = conn.exec_driver_sql("SELECT max(id) FROM procrastinate_jobs").scalar_one()
        whose = NAMES[job % 3]
        heard, went = set(), set()

        def all_have_heard(whose=whose, heard=heard, went=went):
            for name, worker in workers.items():
                if worker.has_news():
                    heard.add(name)
                    went.update({name} if worker.told else {})
            return heard == {*workers} and went >= {whose} & {*workers}

        until(all_have_heard, what="word")
