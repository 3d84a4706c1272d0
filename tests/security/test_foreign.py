"""What belongs to another workspace is not there: every operation of the document, with a foreign token."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from tests.api.server import Server, problem
from tests.contract import given as the
from tests.contract.given import SPEC
from tests.security.operations import JSON, filled, good_body, operations

HERE = ("/events?mission=1", "/requests?mission=1")  # what names something in its parameters
LISTS = {
    "/missions": "missions",
    "/requests": "requests",
    "/events": "events",
    "/webhooks": "webhooks",
}
NAMING = [
    (method, filled(path), operation) for method, path, operation in operations() if "_id}" in path
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of everything in `default`, each with the number 1; and another workspace, with nothing."""
    with Server(tmp_path_factory.mktemp("foreign")) as running:
        claimed = the.running(running.db)
        the.ask(running.db, claimed)
        running.store_file(claimed.mission_id, "notes.md", b"Notes")
        running.store_delivery(claimed.mission_id)
        running.own = running.token("admin")
        running.foreign = running.token("admin", workspace="elsewhere")
        running.get("/missions", headers=running.foreign)  # its first use is noted
        yield running


@pytest.fixture(scope="module")
def watching(server: Server) -> Iterator[Connection]:
    with server.db.reading() as conn:
        yield conn


def version(conn: Connection) -> int:
    return int(conn.execute(text("PRAGMA data_version")).scalar_one())


def test_the_walk_has_every_route_that_names_something():
    assert len(NAMING) >= 13
    assert {path for _method, path, _operation in NAMING} >= {
        "/missions/1", "/missions/1/events", "/missions/1/files", "/files/1", "/requests/1",
        "/missions/1/links", "/requests/1/links", "/webhooks/1", "/deliveries/1/redeliver",
    }  # fmt: skip


@pytest.mark.parametrize(("method", "path", "operation"), NAMING, ids=lambda v: str(v)[:40])
def test_another_workspace_s_things_are_not_found_and_stay(
    server: Server, watching: Connection, method, path, operation
):
    before = version(watching)
    data, headers = good_body(operation)
    answer = server.request(method, path, data=data, headers=headers | server.foreign)
    body = problem(answer, 404, "not_found")
    # As what never was: not even that it is there is told.
    nowhere = server.request(
        method, path.replace("/1", "/999"), data=data, headers=headers | server.foreign
    )
    assert problem(nowhere, 404, "not_found")["detail"] == body["detail"].replace("1", "999")
    assert version(watching) == before


@pytest.mark.parametrize("path", HERE)
def test_a_parameter_that_names_another_workspace_s_thing_finds_none(server: Server, path):
    problem(server.get(path, headers=server.foreign), 404, "not_found")


def test_a_webhook_of_another_workspace_s_mission_is_not_made(server: Server):
    body = {"url": "https://example.org/hook", "mission": 1}
    problem(server.post("/webhooks", body, headers=server.foreign), 404, "not_found")


@pytest.mark.parametrize(("path", "key"), LISTS.items())
def test_lists_counts_and_cursors_are_a_workspace_s_own(server: Server, path, key):
    own = server.get(path, headers=server.own).get_json()
    foreign = server.get(path, headers=server.foreign).get_json()
    assert own[key]
    assert foreign[key] == []
    assert {foreign.get(name, 0) for name in ("head", "as_of", "next")} == {0}
    assert own.get("feed", "") != foreign.get("feed", None)


def test_the_same_key_means_something_else_in_another_workspace(tmp_path):
    with Server(tmp_path) as server:
        key = {"Idempotency-Key": "k", "Content-Type": JSON}
        made = [
            server.request("POST", "/missions", data=json.dumps(spec), headers=key | headers)
            for spec, headers in (
                (SPEC, server.token("run")),
                (SPEC | {"title": "Another"}, server.token("run", workspace="elsewhere")),
            )
        ]
        assert [answer.status_code for answer in made] == [201, 201]
        assert not any("Idempotency-Replayed" in answer.headers for answer in made)


def test_an_answer_to_another_workspace_s_question_changes_nothing(server: Server):
    before = the.request(server.db, 1)
    problem(server.post("/requests/1", {"answer": "x"}, headers=server.foreign), 404, "not_found")
    plain = server.request("POST", "/q/1", data={"answer": "x"}, headers=server.foreign)
    assert plain.status_code == 404
    assert the.request(server.db, 1) == before


@pytest.mark.parametrize("path", ["/m/1/plain", "/q/1"])
def test_pages_show_nothing_of_another_workspace(server: Server, path):
    problem(server.get(path, headers=server.foreign), 404, "not_found")
