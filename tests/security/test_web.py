"""What every request meets before its view: the Host, other sites, limits; and what answers carry."""

import pytest
from sqlalchemy import select

from models import audit, tokens
from service.api.limits import Allowance
from service.security import tokens as keys
from tests.api.server import Server, problem
from tests.contract import given as the
from tests.contract.given import SPEC

ORIGIN = "https://app.example.com"


@pytest.fixture
def open_server(tmp_path):
    with Server(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "a.localhost"]
)
def test_on_loopback_its_own_names_pass(open_server, host):
    assert open_server.get("/missions", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "evil"]
)
def test_a_name_that_was_bent_to_loopback_is_refused(open_server, host):
    problem(open_server.get("/missions", headers={"Host": host}), 403, "host_not_allowed")
    problem(open_server.post("/missions", SPEC, headers={"Host": host}), 403, "host_not_allowed")
    assert open_server.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_proxy_s_name_passes_when_the_operator_says_so(tmp_path):
    with Server(tmp_path, allowed_hosts="agents.example.com") as server:
        assert (
            server.get("/missions", headers={"Host": "Agents.example.com:443"}).status_code == 200
        )
        problem(server.get("/missions", headers={"Host": "other.example"}), 403, "host_not_allowed")


def test_without_an_allowed_origin_no_site_may_read(open_server):
    answer = open_server.get("/missions", headers={"Origin": ORIGIN})
    assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]


def test_an_allowed_origin_may_read_without_credentials(tmp_path):
    with Server(tmp_path, cors_origins=ORIGIN) as server:
        answer = server.get("/missions", headers={"Origin": ORIGIN})
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        assert server.request("OPTIONS", "/missions", headers=asked).status_code == 200
        other = server.get("/missions", headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize("path", ["/missions", "/nothing", "/healthz", "/login", "/events?since=1"])
def test_every_answer_has_the_security_headers(open_server, path):
    headers = open_server.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_a_token_that_asks_too_often_is_told_when_to_come_back(tmp_path):
    with Server(tmp_path, requests_per_s=0.5) as server:
        headers = server.token("read")
        answers = [server.get("/missions", headers=headers) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        problem(answers[-1], 429, "too_many_requests")
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert server.get("/missions", headers=server.token("read")).status_code == 200


def test_a_token_holds_so_many_polls_and_no_more(tmp_path):
    with Server(tmp_path, max_held_per_token=1) as server:
        headers = server.token("read")
        held = server.hold(server.get, "/events", {"after": 0, "wait": 20}, headers=headers)
        answer = server.get("/events", {"after": 0, "wait": 20}, headers=headers).get_json()
        assert (answer["reason"], answer["events"]) == ("busy", [])
        assert answer["retry_s"] >= 1
        other = server.token("read")
        assert server.hold(server.get, "/events?after=0&wait=20", headers=other)
        server.feed.drain()
        assert held.get(timeout=20).status_code == 200


def test_a_workspace_queues_so_many_missions_and_no_more(tmp_path):
    with Server(tmp_path, max_queued=1) as server:
        assert server.post("/missions", SPEC).status_code == 201
        problem(server.post("/missions", SPEC), 429, "too_many_queued")
        problem(server.post("/missions/1/retry"), 429, "too_many_queued")
        assert len(server.get("/missions").get_json()["missions"]) == 1


def test_an_allowance_comes_back_with_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("service.api.limits.time.monotonic", lambda: now[0])
    allowance = Allowance(at_once=2, per_s=1)
    assert [allowance.take("a") for _ in range(3)] == [0, 0, 1]
    assert allowance.take("b") == 0
    now[0] = 1.0
    assert (allowance.take("a"), allowance.take("a")) == (0, 1)


def test_the_audit_log_says_who_did_what(open_server):
    headers = open_server.token("admin")
    open_server.post("/missions", SPEC, headers=headers)
    open_server.post("/missions/1/cancel", headers=headers)
    with open_server.db.reading() as conn:
        rows = conn.execute(select(audit).order_by(audit.c.id)).all()
    done = [(row.actor, row.action, row.subject) for row in rows]
    assert done == [
        ("Ann", "mission.created", "mission 1"),
        ("Ann", "mission.cancelled", "mission 1"),
    ]


def test_a_token_s_use_is_noted(open_server):
    headers = open_server.token("read")
    open_server.get("/missions", headers=headers)
    with open_server.db.reading() as conn:
        assert conn.execute(select(tokens.c.last_used_ms)).scalar_one() is not None


def test_the_token_of_the_environment_is_what_it_says_there(open_server):
    for text in ("first" * 8, "second" * 8):
        with open_server.db.transaction() as conn:
            keys.keep_environment_token(conn, text)
        headers = {"Authorization": f"Bearer {text}"}
        assert open_server.get("/missions", headers=headers).status_code == 200
    old = {"Authorization": "Bearer " + "first" * 8}
    problem(open_server.get("/missions", headers=old), 401, "unauthorized")


def test_a_link_opens_one_mission_to_read_and_nothing_else(open_server):
    for _ in range(2):
        the.make_mission(open_server.db)
    with open_server.db.transaction() as conn:
        link = keys.create(conn, the.WORKSPACE, ["read"], mission_id=1)
    headers = {"Authorization": f"Bearer {link}"}
    assert open_server.get("/missions/1", headers=headers).status_code == 200
    assert open_server.get("/missions/1/events", headers=headers).status_code == 200
    for path in ("/missions/2", "/missions/2/events", "/missions", "/events", "/requests"):
        problem(open_server.get(path, headers=headers), 403, "forbidden")
    problem(open_server.post("/missions/1/cancel", headers=headers), 403, "forbidden")
    assert open_server.get("/missions").status_code == 200  # a link does not close an open server


def test_signing_in_can_be_tried_so_often_and_no_more(open_server):
    tried = [open_server.request("POST", "/login", data={"token": "ll_a_b"}) for _ in range(21)]
    assert [answer.status_code for answer in tried] == [303] * 20 + [429]
    problem(tried[-1], 429, "too_many_attempts")
