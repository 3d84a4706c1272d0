"""How often PostgreSQL is asked: from a POST to a run, each statement is a round trip that somebody waits for."""

from collections.abc import Callable

import psycopg
import pytest

from service.db import Database
from service.db.bell import RING
from service.dispatch.handover import ToWhoLooks
from service.events.kinds import Kind, NewEvent
from service.missions import attempts, commands, queries, queue
from service.missions.admission import Idempotency
from service.missions.commands import Job
from service.missions.queue import NO_LIMITS, Limits
from service.security.tokens import Access
from service.worker.once import Once
from service.worker.reaper import Reaper
from tests.contract import given as the
from tests.contract.given import WORKSPACE, delta
from tests.contract.test_recorder import attempt

ONE_BY_ONE = Limits(per_workspace=100)  # as it is unless said otherwise


@pytest.fixture
def sent(db, monkeypatch) -> Callable[[], int]:
    """How many statements were sent since the last call, their begin included, but for the commit."""
    if db.is_sqlite:
        pytest.skip("there a statement is no round trip")
    db.learn()  # what is asked once
    seen: list[str] = []
    execute = psycopg.Cursor.execute

    def note(cursor, statement, *args, **options):
        if statement != RING:  # which another thread sends
            seen.append(statement)
        return execute(cursor, statement, *args, **options)

    def count() -> int:
        number = len(seen)
        seen.clear()
        return number

    monkeypatch.setattr(psycopg.Cursor, "execute", note)
    return count


def claim(db: Database, limits: Limits) -> attempts.Claim | None:
    with db.glance() as conn:
        due = queue.look(conn, limits)
    assert due is not None
    return attempts.claim_next(db, "worker-1", lease_s=30.0, limits=limits, due=due)


@pytest.mark.parametrize("limits", [NO_LIMITS, ONE_BY_ONE])
def test_a_claim(db, sent, limits):
    mission_id = the.make_mission(db)
    sent()
    claimed = claim(db, limits)
    assert sent() == 2  # look; claim
    assert claimed is not None
    assert claimed.mission_id == mission_id


def test_a_mission_that_is_made(db, sent):
    with db.transaction() as conn:
        made = commands.create(conn, WORKSPACE, the.spec())
    assert sent() == 3  # begin, row, append
    with db.reading() as conn:
        assert made == queries.one(conn, WORKSPACE, made["id"])


def test_a_post_by_somebody_who_is_known(db, sent):
    caller = Access(WORKSPACE, frozenset(), "Ann", changes=0)
    key, job = Idempotency.of("key-1", b"body"), Job("missions", "longline.mission")
    made = commands.create_at_once(db, caller, the.spec(), job=job, idempotency=key, most=100)
    assert sent() == 1
    assert made is not None


def test_the_start_of_a_task(db, sent):
    claimed = the.running(db)
    sent()
    status = NewEvent(Kind.STATUS, "task.started", {"from": None, "to": "running", "reason": None})
    Once(db, claimed).write([status, delta()])
    assert sent() == 1
    assert the.mission(db, claimed.mission_id)["rev"] == 3


def test_what_an_attempt_begins_with(db, sent):
    claimed = the.running(db)
    for expected in (0, 1):  # in a later attempt, what earlier ones have finished is read
        sent()
        attempt(db, claimed).finished_tasks()
        assert sent() == expected
        the.lose(db, claimed)
        claimed = the.claim(db)


def test_a_worker_that_has_nothing_to_do(db, sent, tmp_path):
    claimed = the.running(db)
    the.ask(db, claimed)
    reaper = Reaper(db, ToWhoLooks(), lease_s=the.LEASE_S, renew_s=5.0)
    reaper.turn(tmp_path)
    sent()
    reaper.turn(tmp_path)
    assert sent() == 1
