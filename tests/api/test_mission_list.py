"""The list of missions: newest first, narrowed, with a cursor."""

import pytest

from tests.api.making import create, ids
from tests.api.server import parameters, problem
from tests.contract import given as the
from tests.contract.given import SPEC


def test_the_list_has_these_keys(server):
    mission = create(server)
    del mission["as_of"]
    answer = server.get("/missions").get_json()
    assert answer == {"missions": [mission], "as_of": 1, "more": False}


def test_the_list_is_newest_first_and_goes_on_before_an_id(server):
    for _ in range(5):
        create(server)
    first = server.get("/missions?limit=2").get_json()
    second = server.get("/missions?limit=2&before=4").get_json()
    last = server.get("/missions?limit=2&before=2").get_json()
    assert [ids(page) for page in (first, second, last)] == [[5, 4], [3, 2], [1]]
    assert [page["more"] for page in (first, second, last)] == [True, True, False]


def test_the_list_is_of_fifty_unless_told(server):
    for _ in range(51):
        the.make_mission(server.db)
    answer = server.get("/missions").get_json()
    assert (len(answer["missions"]), answer["more"]) == (50, True)
    assert len(server.get("/missions?limit=200").get_json()["missions"]) == 51


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("queued", [3]),
        ("running", [2]),
        ("cancelled", [1]),
        ("queued,cancelled", [3, 1]),
        ("failed", []),
    ],
)
def test_the_list_shows_those_of_a_status(server, status, expected):
    the.cancel(server.db, the.make_mission(server.db))
    the.running(server.db)
    the.make_mission(server.db)
    assert ids(server.get(f"/missions?status={status}").get_json()) == expected


def test_the_list_shows_those_of_a_project(server):
    mission_id = the.project_mission(server.db, "report")
    the.make_mission(server.db)
    assert ids(server.get("/missions?project=report").get_json()) == [mission_id]
    assert ids(server.get("/missions?project=other").get_json()) == []


def test_following_the_list_s_cursor_misses_nothing(server):
    create(server)
    as_of = server.get("/missions").get_json()["as_of"]
    create(server)
    followed = server.poll(after=as_of)["events"]
    assert [(event["mission"], event["name"]) for event in followed] == [(2, "mission.queued")]


def test_a_list_of_large_missions_ends_before_a_mebibyte_and_goes_on(server):
    large = [{**SPEC["plan"][0], "name": n, "description": "x" * 100_000} for n in "ab"]
    for _ in range(7):
        create(server, SPEC | {"plan": large})
    seen, more = [8], True
    while more:
        answer = server.get("/missions", {"before": seen[-1]}).get_json()
        assert answer["missions"]
        seen += ids(answer)
        more = answer["more"]
    assert seen == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=", "status"),
        ("status=ended", "status"),
        ("status=queued,", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1_0", "limit"),
        ("before=0", "before"),
        ("before=-1", "before"),
        ("before=x", "before"),
        (f"before={2**53}", "before"),
    ],
)
def test_a_list_that_cannot_be_is_refused(shared, query, name):
    assert parameters(problem(shared.get(f"/missions?{query}"), 422, "invalid")) == [name]
