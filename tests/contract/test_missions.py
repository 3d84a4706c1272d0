"""Missions as clients make, cancel, retry and list them."""

import pytest
from sqlalchemy import select

from models import workspaces
from service.db import Database
from service.errors import Problem
from service.missions import admission, attempts, commands, queries
from service.missions.admission import Idempotency
from tests.contract import given as the
from tests.contract.given import WORKSPACE
from tests.contract.races import race


def page(db: Database, **asked):
    with db.reading() as conn:
        return queries.page(conn, WORKSPACE, **{"limit": 50, **asked})


# Creating


def test_a_new_mission_is_queued_and_says_so_in_the_log(db):
    mission_id = the.make_mission(db)
    mission = the.mission(db, mission_id)
    [event] = the.events_of(db, mission_id)
    assert (mission["status"], mission["attempt"], mission["rev"]) == ("queued", 0, event["seq"])
    assert (event["kind"], event["name"]) == ("STATUS", "mission.queued")
    assert event["data"] == {"from": None, "to": "queued", "reason": "created"}


def test_a_mission_looks_as_the_contract_says(db):
    mission = the.mission(db, the.make_mission(db))
    assert mission == {
        "id": 1,
        "title": "A brief",
        "engine": "crewai",
        "status": "queued",
        "rev": 1,
        "attempt": 0,
        "created_at": mission["created_at"],
        "started_at": None,
        "ended_at": None,
        "retry_of": None,
        "result": None,
        "error": None,
        "usage": {
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "cached_tokens": 0,
            "cost_usd": None,
            "agents": {},
        },
        "progress": {"done": 0, "total": 2},
        "requests": [],
        "spec": mission["spec"],
        "as_of": 1,
    }


def test_the_spec_is_stored_with_every_default(db):
    mission_id = the.make_mission(db, inputs={"yes": True, "one": 1, "half": 0.5, "text": "1"})
    assert the.claim(db).spec == the.spec(**the.mission(db, mission_id)["spec"])
    assert the.mission(db, mission_id)["spec"]["human"]["timeout_s"] == 300.0


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"title": None}, "Do research."),
        ({"title": "nul \0"}, "nul \ufffd"),
        ({"title": None, "plan": [the.SPEC["plan"][0] | {"description": " \n"}]}, "research"),
    ],
)
def test_every_mission_has_a_title_to_show(db, changes, title):
    assert the.mission(db, the.make_mission(db, **changes))["title"] == title


def admitted(conn, workspace_id, key):
    return admission.check(conn, workspace_id, key, most=100)


def test_the_same_key_and_body_find_the_same_mission(db):
    key = Idempotency.of("key-1", b"body")
    with db.transaction() as conn:
        assert admitted(conn, WORKSPACE, key) is None
        mission_id = commands.create(conn, WORKSPACE, the.spec(), idempotency=key)["id"]
        assert admitted(conn, WORKSPACE, key) == mission_id


def test_the_same_key_with_another_body_is_refused(db):
    with db.transaction() as conn:
        commands.create(conn, WORKSPACE, the.spec(), idempotency=Idempotency.of("key-1", b"body"))
    with db.reading() as conn, pytest.raises(Problem) as refused:
        admitted(conn, WORKSPACE, Idempotency.of("key-1", b"another"))
    assert refused.value.code == "key_reused"


def test_a_key_belongs_to_its_workspace(db):
    elsewhere = the.make_workspace(db, "elsewhere")
    key = Idempotency.of("key-1", b"body")
    with db.transaction() as conn:
        commands.create(conn, WORKSPACE, the.spec(), idempotency=key)
        assert admitted(conn, elsewhere, key) is None
        commands.create(conn, elsewhere, the.spec(), idempotency=key)


# Cancelling


def test_of_simultaneous_posts_with_one_key_one_makes_the_mission(db):
    key = Idempotency.of("key-1", b"body")
    made = []

    def post():
        with db.transaction(lock=key.lock(WORKSPACE)) as conn:
            earlier = admitted(conn, WORKSPACE, key)
            created = earlier or commands.create(conn, WORKSPACE, the.spec(), idempotency=key)["id"]
            made.append(created)

    assert race(*[post] * 8) == [None] * 8
    assert len(made) == 8
    assert len(set(made)) == 1


def test_a_queued_mission_is_cancelled_at_once(db):
    mission_id = the.make_mission(db)
    the.cancel(db, mission_id)
    assert the.mission(db, mission_id)["status"] == "cancelled"
    assert the.follows_its_log(db, mission_id)
    assert attempts.claim_next(db, "worker-1", lease_s=30.0) is None


def test_a_running_mission_is_cancelled_by_its_worker(db):
    claimed = the.running(db)
    the.cancel(db, claimed.mission_id)
    assert the.mission(db, claimed.mission_id)["status"] == "running"
    assert the.names_of(db, claimed.mission_id)[-1] == "mission.cancelling"
    assert the.follows_its_log(db, claimed.mission_id)
    the.end_cancelled(db, claimed)
    assert the.mission(db, claimed.mission_id)["status"] == "cancelled"
    assert the.follows_its_log(db, claimed.mission_id)


def test_cancelling_again_changes_nothing(db):
    claimed = the.running(db)
    the.cancel(db, claimed.mission_id)
    before = the.events(db)
    the.cancel(db, claimed.mission_id)
    assert the.events(db) == before


@pytest.mark.parametrize("end", [the.complete, the.fail, the.end_cancelled])
def test_an_ended_mission_cannot_be_cancelled(db, end):
    claimed = the.running(db)
    end(db, claimed)
    status = the.mission(db, claimed.mission_id)["status"]
    with pytest.raises(Problem) as refused:
        the.cancel(db, claimed.mission_id)
    assert refused.value.code == "mission_ended"
    assert refused.value.extra == {"status": status}


def test_a_mission_of_another_workspace_is_not_found(db):
    mission_id = the.make_mission(db, the.make_workspace(db, "elsewhere"))
    with db.transaction() as conn:
        for use in (commands.cancel, commands.retry, queries.one, queries.status_and_rev):
            with pytest.raises(Problem) as refused:
                use(conn, WORKSPACE, mission_id)
            assert refused.value.code == "not_found"
        with pytest.raises(Problem):
            queries.require(conn, WORKSPACE, [mission_id])


# Retrying


@pytest.mark.parametrize("end", [the.complete, the.fail, the.end_cancelled])
def test_a_retry_is_a_new_mission_from_the_same_spec(db, end):
    claimed = the.running(db, inputs={"topic": "pumps"})
    end(db, claimed)
    with db.transaction() as conn:
        retry_id = commands.retry(conn, WORKSPACE, claimed.mission_id)["id"]
    old, new = the.mission(db, claimed.mission_id), the.mission(db, retry_id)
    assert (new["status"], new["retry_of"], new["attempt"]) == ("queued", old["id"], 0)
    assert new["spec"] == old["spec"]
    assert the.follows_its_log(db, retry_id)


# Listing


def test_the_list_is_newest_first_and_pages_by_id(db):
    ids = [the.make_mission(db) for _ in range(5)]
    missions, _, more = page(db, limit=2)
    assert ([mission["id"] for mission in missions], more) == ([ids[4], ids[3]], True)
    missions, _, more = page(db, limit=3, before=ids[3])
    assert ([mission["id"] for mission in missions], more) == ([ids[2], ids[1], ids[0]], False)


def test_the_list_can_be_narrowed_to_statuses(db):
    claimed = the.running(db)
    the.complete(db, claimed)
    held, queued = the.running(db), the.make_mission(db)
    assert [m["id"] for m in page(db, statuses=["queued", "running"])[0]] == [
        queued,
        held.mission_id,
    ]
    assert page(db, statuses=["failed"])[0] == []


def test_the_list_names_the_open_requests_of_each_mission(db):
    asks, _quiet = the.running(db), the.running(db)
    ids = [the.ask(db, asks, the.question(key)) for key in ("a", "b")]
    assert [mission["requests"] for mission in page(db)[0]] == [[], ids]


def test_a_list_and_the_events_after_its_cursor_miss_nothing(db):
    """Follow the list's as_of while missions change: folding what comes gives what is."""
    claimed = the.running(db)
    _, as_of, _ = page(db)
    the.complete(db, claimed)
    the.make_mission(db)
    later = [event for event in the.events(db) if event["seq"] > as_of]
    assert [event["name"] for event in later if event["kind"] == "STATUS"] == [
        "mission.completed",
        "mission.queued",
    ]
    assert as_of + len(later) == page(db)[1]


def test_another_workspace_is_not_listed(db):
    the.make_mission(db, the.make_workspace(db, "elsewhere"))
    assert page(db) == ([], 0, False)


def test_what_is_written_beside_a_mission_holds_up_nobody_in_its_workspace(db):
    if db.is_sqlite:
        pytest.skip("there it holds off all other writers")
    free = []

    def besides(mission_id: int) -> None:
        with db.transaction() as other:
            row = select(workspaces.c.id).with_for_update(skip_locked=True, key_share=True)
            free.append(other.execute(row).scalar())

    with db.transaction() as conn:
        first = commands.create(conn, the.WORKSPACE, the.spec(), besides=besides)["id"]
    with db.transaction() as conn:
        commands.retry(conn, the.WORKSPACE, first, besides=besides)
    assert free == [the.WORKSPACE] * 2
