"""Who has made a mission lately is not looked up again for the next; what ends access holds at once all the same.

On either database, though only PostgreSQL makes use of it.
"""

import pytest
from sqlalchemy import func, select

from models import missions
from service import clock
from service.security import tokens
from tests.api.making import FULL
from tests.api.server import Server, problem
from tests.contract.databases import Postgres

BAD = {**FULL, "agents": []}
MINUTE_MS = 60_000


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request, tmp_path):
    if request.param == "sqlite":
        with Server(tmp_path) as running:
            yield running
    else:
        yield request.getfixturevalue("on_postgres")


def made(server) -> int:
    with server.db.reading() as conn:
        return conn.execute(select(func.count()).select_from(missions)).scalar_one()


def revoke(server, headers) -> None:
    with server.db.transaction() as conn:
        tokens.revoke(conn, tokens.id_of(headers["Authorization"].removeprefix("Bearer ")))


@pytest.mark.parametrize("body", [FULL, BAD])
def test_a_token_makes_nothing_and_is_told_nothing_from_its_end_on(server, body):
    headers = server.token("run")
    for _ in range(2):
        assert server.post("/missions", FULL, headers=headers).status_code == 201
    problem(server.post("/missions", BAD, headers=headers), 422, "invalid")
    revoke(server, headers)
    problem(server.post("/missions", body, headers=headers), 401, "unauthorized")
    assert made(server) == 2


def test_a_token_makes_nothing_when_it_has_expired(server, monkeypatch):
    now_ms = clock.now_ms()
    headers = server.token("run", expires_ms=now_ms + MINUTE_MS)
    for _ in range(2):
        assert server.post("/missions", FULL, headers=headers).status_code == 201
    monkeypatch.setattr(clock, "now_ms", lambda: now_ms + 2 * MINUTE_MS)
    problem(server.post("/missions", FULL, headers=headers), 401, "unauthorized")


def test_an_open_server_closes_with_its_first_token(server):
    for _ in range(2):
        assert server.post("/missions", FULL).status_code == 201
    headers = server.token("run")
    problem(server.post("/missions", FULL), 401, "unauthorized")
    assert server.post("/missions", FULL, headers=headers).status_code == 201


def test_a_token_without_the_scope_is_refused_each_time(server):
    headers = server.token("read")
    for _ in range(2):
        problem(server.post("/missions", FULL, headers=headers), 403, "forbidden")


def test_the_end_of_another_token_changes_nothing(server):
    headers, other = server.token("run"), server.token("run")
    for _ in range(2):
        assert server.post("/missions", FULL, headers=headers).status_code == 201
        revoke(server, other)
    assert made(server) == 2


def test_a_page_of_another_site_makes_nothing_on_an_open_server(server):
    assert server.post("/missions", FULL).status_code == 201
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    problem(server.post("/missions", FULL, headers=elsewhere), 403, "forbidden")
    assert made(server) == 1


def test_each_request_counts_once(tmp_path, postgres: Postgres):
    settings = postgres.settings(tmp_path)
    postgres.migrate(settings)
    with Server(tmp_path, database_url=settings.database_url, requests_per_s=1.0) as server:
        headers = server.token("run")
        key = headers | {"Idempotency-Key": "k"}  # once made, it goes the longer way
        answers = [server.post("/missions", FULL, headers=key).status_code for _ in range(20)]
    allowed = answers.index(429)
    assert set(answers[:allowed]) == {201}
    assert allowed >= 10  # as many as come at once
