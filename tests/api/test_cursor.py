"""What `GET /events` takes: each parameter, as it may be written and as it may not."""

from typing import Any

import pytest

from tests.api.server import Server, parameters, problem
from tests.contract import given as the

EVENTS = 6  # of the shared log: two missions, queued and running, and two deltas of the second


@pytest.fixture(scope="module", autouse=True)
def log(shared: Server) -> None:
    the.running(shared.db)
    claimed = the.running(shared.db, "worker-2")
    the.record(shared.db, claimed, the.delta("a"), the.delta("b"))


def seqs(shared: Server, query: str) -> list[int]:
    response = shared.get(f"/events?{query}")
    assert response.status_code == 200, response.text
    return [event["seq"] for event in response.get_json()["events"]]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("0", [1, 2, 3, 4, 5, 6]),
        ("000", [1, 2, 3, 4, 5, 6]),
        ("4", [5, 6]),
        ("6", []),
        ("now", []),
        ("-1", [6]),
        ("-4", [3, 4, 5, 6]),
        ("-500", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_after_is_digits_or_now_or_the_newest(shared, after, expected):
    assert seqs(shared, f"wait=0&after={after}") == expected


def test_without_after_the_log_begins_at_its_beginning(shared):
    assert seqs(shared, "") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "after",
    [
        "",
        "%20",
        "%2B5",
        "5%20",
        "%205",
        "1_000",
        "1e3",
        "1.0",
        "0x1",
        "--1",
        "-",
        "-0",
        "-now",
        "NOW",
        "null",
        "%D9%A5",  # Arabic digit five
        "%EF%BC%95",  # full-width digit five
        "%00",
        "%FF",
        str(2**53),
        str(2**63),
        "9" * 400,
    ],
)
def test_any_other_after_is_refused(shared, after):
    assert parameters(problem(shared.get(f"/events?after={after}"), 422, "invalid")) == ["after"]


def test_the_largest_cursor_that_javascript_holds_is_one(shared):
    problem(shared.get(f"/events?after={2**53 - 1}"), 410, "cursor_ahead")


def test_the_newest_are_no_more_than_the_limit(shared):
    assert seqs(shared, "after=-2&limit=2") == [5, 6]
    assert parameters(problem(shared.get("/events?after=-3&limit=2"), 422, "invalid")) == ["after"]


@pytest.mark.parametrize("limit", ["1", "2", "1000"])
def test_a_page_has_no_more_than_the_limit(shared, limit):
    assert len(seqs(shared, f"limit={limit}")) == min(int(limit), EVENTS)


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "", "+1", "1.5", "ten", "%D9%A5"])
def test_a_limit_out_of_bounds_is_refused(shared, limit):
    assert parameters(problem(shared.get(f"/events?limit={limit}"), 422, "invalid")) == ["limit"]


@pytest.mark.parametrize("wait", ["0", "0.0", "00"])
def test_a_wait_of_nothing_answers_now(shared, wait):
    assert shared.poll(after="now", wait=wait)["reason"] == "now"


@pytest.mark.parametrize("wait", ["", "-1", ".5", "5.", "1e1", "1,5", "NaN", "inf", "%D9%A5", "2s"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(shared, wait):
    assert parameters(problem(shared.get(f"/events?wait={wait}"), 422, "invalid")) == ["wait"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("STATUS", [1, 2, 3, 4]),
        ("STREAM", [5, 6]),
        ("STATUS,STREAM", [1, 2, 3, 4, 5, 6]),
        ("STREAM,STREAM", [5, 6]),
        ("-STREAM", [1, 2, 3, 4]),
        ("-STREAM,-STATUS", []),
        ("-LOG", [1, 2, 3, 4, 5, 6]),
        ("ERROR", []),
    ],
)
def test_kinds_are_chosen_or_left_out(shared, kind, expected):
    assert seqs(shared, f"kind={kind}") == expected


@pytest.mark.parametrize(
    "kind", ["", "status", "STATUS,", "NEWS", "-", "--LOG", "-NEWS", "STATUS LOG"]
)
def test_a_kind_that_there_is_not_is_refused(shared, kind):
    assert parameters(problem(shared.get("/events", {"kind": kind}), 422, "invalid")) == ["kind"]


def test_kinds_are_not_chosen_and_left_out_at_once(shared):
    assert parameters(problem(shared.get("/events?kind=STATUS,-LOG"), 422, "invalid")) == ["kind"]


@pytest.mark.parametrize(
    ("mission", "expected"), [("1", [1, 2]), ("2", [3, 4, 5, 6]), ("2,1,2", [1, 2, 3, 4, 5, 6])]
)
def test_missions_are_chosen_by_their_ids(shared, mission, expected):
    assert seqs(shared, f"mission={mission}") == expected


@pytest.mark.parametrize("mission", ["", "1,", "one", "-1", "1;2", "%D9%A1", "9" * 17])
def test_a_mission_that_is_no_id_is_refused(shared, mission):
    assert parameters(problem(shared.get(f"/events?mission={mission}"), 422, "invalid")) == [
        "mission"
    ]


def test_a_hundred_missions_may_be_chosen_and_no_more(shared):
    assert seqs(shared, "mission=" + ",".join(["1"] * 100)) == [1, 2]
    refused = shared.get("/events?mission=" + ",".join(["1"] * 101))
    assert parameters(problem(refused, 422, "invalid")) == ["mission"]


@pytest.mark.parametrize("mission", ["3", "1,3", "0", "9999999999999999"])
def test_an_unknown_mission_is_not_found(shared, mission):
    problem(shared.get(f"/events?mission={mission}"), 404, "not_found")


@pytest.mark.parametrize("client", ["", "c1", "x" * 200, "%D9%A5 ☀️"])
def test_client_is_any_short_text_and_changes_nothing(shared, client):
    plain, with_client = shared.poll(), shared.poll(client=client)
    assert with_client == plain


def test_a_long_client_is_refused(shared):
    refused = shared.get("/events", {"client": "x" * 201})
    assert parameters(problem(refused, 422, "invalid")) == ["client"]


@pytest.mark.parametrize(
    ("path", "name", "meant"),
    [
        ("/events", "since", "after"),
        ("/events", "offset", "after"),
        ("/events", "cursor", "after"),
        ("/events", "last_event_id", "after"),
        ("/events", "afer", "after"),
        ("/events", "kinds", "kind"),
        ("/events", "timeout", "wait"),
        ("/events", "missions", "mission"),
        ("/events", "After", "after"),
        ("/events", "zzz", None),
        ("/missions/1/events", "since", "after"),
        ("/missions/1/events", "mission", None),
        ("/missions", "after", None),
        ("/missions", "state", "status"),
        ("/missions/1", "waits", "wait"),
        ("/missions/1/files", "limit", None),
        ("/requests", "missions", "mission"),
        ("/requests/1", "rev", None),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_one_that_was_meant(shared, path, name, meant):
    body = problem(shared.get(path, {name: "1"}), 422, "unknown_field")
    assert (body["field"], body["did_you_mean"]) == (name, meant)
    assert parameters(body) == [name]
    assert meant is None or meant in body["detail"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *[("/events", name) for name in ("after", "wait", "mission", "kind", "limit", "client")],
        *[("/missions", name) for name in ("status", "limit", "before")],
        *[("/missions/1", name) for name in ("rev", "wait")],
        *[("/requests", name) for name in ("status", "mission", "limit")],
        ("/requests/1", "wait"),
    ],
)
def test_a_parameter_is_given_once(shared, path, name):
    query: list[tuple[str, Any]] = [(name, "1"), (name, "1")]
    assert parameters(problem(shared.get(path, query), 422, "invalid")) == [name]
