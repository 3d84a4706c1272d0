"""A mission that is made by one call in the server is the same as one that is made by statements of ours."""

from contextlib import closing

import psycopg
import pytest
from sqlalchemy import select

from models import audit, missions
from service.db import UNAVAILABLE, Database
from service.dispatch import choose
from service.events import log
from service.missions import admission, commands, queries, queue
from service.missions.admission import Idempotency
from service.security import tokens
from service.security.tokens import SCOPES, Access
from tests.contract import given as the
from tests.contract.given import WORKSPACE
from tests.contract.races import race
from tests.contract.test_dispatch import SURELY_S, Worker, ready
from tests.processes import until

TIMES = ("id", "created_ms", "rev")
KEY = Idempotency.of("key-1", b"body")


@pytest.fixture(autouse=True)
def _on_postgresql(db):
    if db.is_sqlite:
        pytest.skip("there a statement is no round trip")


def caller(db, **changes):
    with db.reading() as conn:
        seen = log.head(conn, WORKSPACE).access
    given = {"changes": seen, "token_id": "0a1b2c3d4e5f", **changes}
    return Access(WORKSPACE, frozenset(SCOPES), "Ann", **given)


def make(db, *, access=None, job=None, key=None, most=100, **changes):
    spec = the.spec(**changes)
    access = access or caller(db)
    return commands.create_at_once(db, access, spec, job=job, idempotency=key, most=most)


def in_statements(db, *, key=None):
    with db.transaction(lock=key and key.lock(WORKSPACE)) as conn:
        earlier = admission.check(conn, WORKSPACE, key, most=100)
        return earlier or commands.create(conn, WORKSPACE, the.spec(), idempotency=key)["id"]


def row(db, mission_id):
    with db.reading() as conn:
        found = conn.execute(select(missions).where(missions.c.id == mission_id)).one()
    return {name: value for name, value in found._mapping.items() if name not in TIMES}


def count(db):
    with db.reading() as conn:
        return len(conn.execute(select(missions.c.id)).all())


@pytest.mark.parametrize(
    "changes", [{}, {"priority": 7, "not_before": "2030-01-01T00:00:00Z", "title": "nul \0"}]
)
def test_its_row_its_event_and_what_is_shown_are_the_same(db, changes):
    mission_id = the.make_mission(db, **changes)
    made = make(db, **changes)
    assert row(db, made["id"]) == row(db, mission_id)
    with db.reading() as conn:
        assert made == queries.one(conn, WORKSPACE, made["id"])
    [event], [other] = the.events_of(db, made["id"]), the.events_of(db, mission_id)
    assert (event["seq"], event["mseq"]) == (other["seq"] + 1, 1)
    assert {k: event[k] for k in ("kind", "name", "data")} == {
        k: other[k] for k in ("kind", "name", "data")
    }


def test_who_made_it_is_written_down(db):
    made = make(db)
    with db.reading() as conn:
        [entry] = conn.execute(select(audit)).all()
    told = (entry.workspace_id, entry.actor, entry.token_id, entry.action, entry.subject)
    expected = f"mission {made['id']}"
    assert told == (WORKSPACE, "Ann", "0a1b2c3d4e5f", "mission.created", expected)


@pytest.mark.parametrize("way", ["local", "procrastinate"])
def test_workers_hear_of_it(db, settings, way):
    dispatching = settings.model_copy(update={"dispatch": way})
    worker = ready(Worker(dispatching, "worker-1"))
    made = make(db, job=choose.for_clients(dispatching, db).job)
    until(lambda: made["id"] in worker.turn(), within_s=SURELY_S, what="claim")
    worker.close()


def test_with_a_key_it_is_made_once(db):
    made = make(db, key=KEY)
    assert make(db, key=KEY) is None
    assert in_statements(db, key=KEY) == made["id"]
    assert count(db) == 1


def test_of_simultaneous_posts_in_either_way_one_makes_it(db):
    made = []
    ways = [
        lambda: made.append((make(db, key=KEY) or {}).get("id")),
        lambda: made.append(in_statements(db, key=KEY)),
    ]
    assert race(*ways * 4) == [None] * 8
    assert len(set(made) - {None}) == 1
    assert count(db) == 1


def test_where_as_many_wait_as_may_nothing_is_made(db):
    make(db)
    assert make(db, most=1) is None
    assert count(db) == 1


def test_who_may_have_lost_access_makes_nothing(db):
    before = caller(db)
    with db.transaction() as conn:
        tokens.revoke(conn, tokens.id_of(tokens.create(conn, WORKSPACE, ["run"])))
    assert make(db, access=before) is None
    assert count(db) == 0
    assert make(db) is not None


def test_a_server_that_has_ended_its_connections_is_asked_on_others(db, settings):
    make(db)
    url = settings.database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert db.few("SELECT 1") == [(1,)]
    assert make(db) is not None
    assert count(db) == 2


def test_it_needs_no_certain_isolation_by_default(settings, db):
    url = f"{settings.database_url}?options=-c%20default_transaction_isolation%3Dserializable"
    with closing(Database(settings.model_copy(update={"database_url": url}))) as other:
        made = make(other)
        taken = queue.take(other, "worker-1", 30_000)
    assert taken is not None
    assert taken.id == made["id"]


def test_what_is_wrong_with_a_statement_is_said_in_the_usual_way(db):
    with pytest.raises(
        UNAVAILABLE, match="no_such_table"
    ):  # it may be there soon: see `longline migrate`
        db.few("SELECT 1 FROM no_such_table")
    assert db.few("SELECT ?::text", ("?",)) == [("?",)]
