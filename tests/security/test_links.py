"""Share links: one mission to read or one question to answer once, until they expire; and nothing else."""

import pytest
from sqlalchemy import select, update

from models import audit, tokens
from service import clock
from tests.api.server import Server, problem
from tests.contract import given as the


@pytest.fixture
def server(tmp_path):
    """With two missions that each wait for an answer, closed by a token."""
    with Server(tmp_path) as running:
        for owner in ("one", "two"):
            claimed = the.running(running.db, owner)
            the.ask(running.db, claimed)
            running.store_file(claimed.mission_id, "notes.md", b"Notes")
        running.boss = running.token("admin")
        yield running


def share(server: Server, what: str, **body) -> dict:
    answer = server.post(f"{what}/links", body, headers=server.boss)
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def open_link(server: Server, path: str):
    """As a browser that was never here; it keeps the cookie."""
    client = server.app.test_client()
    return client, client.get(path, buffered=True)


def test_a_link_leads_to_its_mission_and_opens_all_that_its_page_asks_for(server):
    client, opened = open_link(server, share(server, "/missions/1")["path"])
    assert (opened.status_code, opened.headers["Location"]) == (303, "/m/1")
    assert {"HttpOnly", "SameSite=Lax"} <= set(opened.headers["Set-Cookie"].split("; "))
    for path in ("/m/1", "/m/1/plain", "/missions/1", "/missions/1/events", "/missions/1/files",
                 "/files/1", "/requests?mission=1&status=pending", "/me"):  # fmt: skip
        assert client.get(path, buffered=True).status_code == 200, path
    assert client.get("/me").get_json()["scopes"] == ["read"]
    assert client.get("/me").get_json()["mission"] == 1
    for path in ("/missions/2", "/missions/2/events", "/missions/2/files", "/files/2", "/missions",
                 "/events", "/requests", "/requests?mission=2", "/requests/1", "/m/2/plain", "/q/1",
                 "/metrics", "/offers"):  # fmt: skip
        problem(client.get(path, buffered=True), 403, "forbidden")
    for path in ("/missions/1/cancel", "/missions/1/links", "/requests/1", "/m/1/plain"):
        assert client.post(path, json={}).status_code == 403, path


def test_a_question_is_answered_once_through_a_link_on_its_plain_page(server):
    link = share(server, "/requests/1", name="the customer")
    client, opened = open_link(server, link["path"])
    assert opened.headers["Location"] == "/q/1"
    assert "Is this draft right?" in client.get("/q/1").text
    done = client.post("/q/1", data={"answer": "yes"})
    assert (done.status_code, "Thank you" in done.text) == (200, True)
    assert the.request(server.db, 1)["answered_by"] == "the customer"
    # It has ended: with its cookie, as a token, and as an address.
    assert client.get("/q/1").headers["Location"].startswith("/login")
    assert client.post("/q/1", data={"answer": "no"}).status_code == 401
    token = link["path"].removeprefix("/s/")
    bearer = {"Authorization": f"Bearer {token}"}
    problem(server.post("/requests/1", {"answer": "no"}, headers=bearer), 401, "unauthorized")
    assert open_link(server, link["path"])[1].status_code == 404
    assert the.request(server.db, 1)["answer"] == "yes"


def test_a_link_to_a_question_opens_no_other_and_no_mission(server):
    token = share(server, "/requests/1")["path"].removeprefix("/s/")
    bearer = {"Authorization": f"Bearer {token}"}
    assert server.get("/requests/1", headers=bearer).status_code == 200
    for path in ("/requests/2", "/missions/1", "/missions/1/events", "/events", "/requests"):
        problem(server.get(path, headers=bearer), 403, "forbidden")
    problem(server.post("/requests/2", {"answer": "x"}, headers=bearer), 403, "forbidden")
    assert server.post("/requests/1", {"answer": "by API"}, headers=bearer).status_code == 200
    problem(server.post("/requests/1", {"answer": "by API"}, headers=bearer), 401, "unauthorized")


def test_an_answer_that_does_not_fit_does_not_use_the_link_up(tmp_path):
    with Server(tmp_path) as server:
        claimed = the.running(server.db)
        question = the.question(type="choice", options=["yes", "no"])
        the.ask(server.db, claimed, question)
        server.boss = server.token("admin")
        client, _opened = open_link(server, share(server, "/requests/1")["path"])
        refused = client.post("/q/1", data={"answer": "maybe"})
        assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
        assert client.post("/q/1", data={"answer": "yes"}).status_code == 200


@pytest.mark.parametrize("place", range(3, 60, 7))
def test_a_link_that_was_changed_opens_nothing(server, place):
    path = share(server, "/missions/1")["path"]
    at = place % (len(path) - 3) + 3
    for other in ("A", "0", "_", "é", "%00", "/"):
        changed = path[:at] + other + path[at + 1 :]
        if changed != path:
            client, opened = open_link(server, changed)
            assert opened.status_code == 404
            assert "Set-Cookie" not in opened.headers
            problem(client.get("/missions/1"), 401, "unauthorized")


@pytest.mark.parametrize("column", ["expires_ms", "revoked_ms"])
def test_a_link_ends_when_it_expires_or_is_revoked(server, column):
    link = share(server, "/missions/1", expires_s=60)
    client, opened = open_link(server, link["path"])
    assert opened.status_code == 303
    with server.db.transaction() as conn:
        conn.execute(
            update(tokens).where(tokens.c.id == link["id"]).values({column: clock.now_ms()})
        )
    problem(client.get("/missions/1"), 401, "unauthorized")
    assert open_link(server, link["path"])[1].status_code == 404


def test_a_link_signs_nobody_out_and_leaves_no_trace_of_itself(server):
    token = server.boss["Authorization"].removeprefix("Bearer ")
    server.client.post("/login", data={"token": token})
    link = share(server, "/missions/1")
    assert server.client.get(link["path"]).status_code == 303
    assert server.client.get("/missions").status_code == 200
    with server.db.reading() as conn:
        rows = conn.execute(select(audit)).all()
    assert [(row.actor, row.action) for row in rows] == [("Ann", "link.created")]
    secret = link["path"].split("_", 2)[2]  # may have a "_" of its own
    assert secret not in str(rows)
    assert secret.encode() not in server.file.read_bytes()


def test_who_may_only_look_cannot_let_others_in(server):
    for scope, path in (
        ("read", "/missions/1"),
        ("read", "/requests/1"),
        ("answer", "/missions/1"),
    ):
        problem(server.post(f"{path}/links", {}, headers=server.token(scope)), 403, "forbidden")
    token = share(server, "/requests/1")["path"].removeprefix("/s/")
    bearer = {"Authorization": f"Bearer {token}"}
    problem(server.post("/requests/1/links", {}, headers=bearer), 403, "forbidden")


@pytest.mark.parametrize("expires_s", [0, -1, 59, 90 * 86_400 + 1, "60", 60.5, None, 2**70])
def test_a_link_lasts_within_bounds(server, expires_s):
    answer = server.post("/missions/1/links", {"expires_s": expires_s}, headers=server.boss)
    problem(answer, 422, "invalid")
