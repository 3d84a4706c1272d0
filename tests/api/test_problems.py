"""Errors: always problem+json with a code, never an exception's text, and honest about the database."""

import logging

import pytest
from sqlalchemy.exc import IntegrityError

from service.errors import ERRORS
from service.missions import queries
from tests.api.server import Server, problem
from tests.contract import given as the
from tests.contract.given import SPEC
from tests.postgres import execute


def spoil(server: Server) -> None:
    """What a broken disk leaves: a file that is no database, a server that lets nobody in."""
    server.db.close()
    if not server.db.is_sqlite:
        _of_its_server(server, "ALTER DATABASE {} WITH ALLOW_CONNECTIONS false")
        return
    for path in server.file.parent.glob("longline.db*"):
        path.write_bytes(b"not a database, not at all" * 1000)


def take_away(server: Server) -> None:
    """A database that cannot be opened: a folder has its place, its server has none of that name."""
    server.db.close()
    if not server.db.is_sqlite:
        _of_its_server(server, "DROP DATABASE {} WITH (FORCE)")
        return
    for path in server.file.parent.glob("longline.db*"):
        path.unlink()
    server.file.mkdir()


def _of_its_server(server: Server, statement: str) -> None:
    url = server.db.url.set(drivername="postgresql", database="postgres")
    execute(url.render_as_string(hide_password=False), statement.format(server.db.url.database))


def drop_tables(server: Server) -> None:
    """A database that is not ours any more."""
    with server.db.transaction() as conn:
        for table in ("missions", "requests", "workspaces", "tokens"):
            conn.exec_driver_sql(f"ALTER TABLE {table} RENAME TO gone_{table}")


BROKEN = [spoil, take_away, drop_tables]
ASKING = [("GET", "/events"), ("GET", "/missions"), ("GET", "/requests"), ("POST", "/missions")]


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/missions/1/nothing", "/events/1", "/missions//1", "/static/nothing.js",
     "/static/../service/app.py", "/static/%2e%2e/setup.cfg", "/m/one", "/M/1", "/inbox.json", "/%00", "/%FF"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_not_found(shared, method, path):
    response = shared.request(method, path)
    if response.status_code == 405:  # /static takes GET alone, whatever the name
        assert path.startswith("/static")
    else:
        problem(response, 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/events", "GET"),
        ("DELETE", "/missions/1", "GET"),
        ("PUT", "/missions", "POST"),
        ("PATCH", "/requests/1", "POST"),
        ("GET", "/missions/1/cancel", "POST"),
        ("POST", "/healthz", "GET"),
        ("BREW", "/missions", "GET"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_refused_with_those_it_takes(
    shared, method, path, allowed
):
    response = shared.request(method, path)
    problem(response, 405, "method_not_allowed")
    assert allowed in response.headers["Allow"].split(", ")


def test_a_problem_has_these_keys(shared):
    body = problem(shared.get("/missions/7"), 404, "not_found")
    assert body == {
        "type": "about:blank",
        "title": "There is no such thing here",
        "status": 404,
        "code": "not_found",
        "detail": "There is no mission 7.",
    }


def test_what_a_case_adds_takes_no_standard_member_s_place(server):
    the.complete(server.db, the.running(server.db))
    assert problem(server.post("/missions/1/cancel"), 409, "mission_ended")["status"] == 409


def test_a_path_takes_a_slash_at_its_end(shared):
    for path in ("/events/", "/missions/", "/requests/"):
        assert shared.get(path).status_code == 200


def test_every_code_has_a_status_and_a_sentence():
    for code, declared in ERRORS.items():
        assert code.replace("_", "").isalpha()
        assert 400 <= declared.status < 600
        assert declared.title


# What is our fault


def test_a_fault_of_ours_is_logged_and_not_told(server, monkeypatch, caplog):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(queries, "page", fail)
    with caplog.at_level(logging.ERROR):
        response = server.get("/missions")
    problem(response, 500, "internal")
    assert "secret" not in response.text
    assert "the secret of the house" in caplog.text


def test_a_fault_in_what_we_ask_the_database_is_no_outage(server, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise IntegrityError("INSERT", {}, Exception("unique"))

    monkeypatch.setattr(queries, "page", fail)
    problem(server.get("/missions"), 500, "internal")


# A database that is away


@pytest.mark.parametrize("break_it", BROKEN)
def test_without_its_database_a_server_says_when_to_come_back(server, break_it):
    the.make_mission(server.db)
    break_it(server)
    for method, path in ASKING:
        response = server.request(method, path, json=SPEC if method == "POST" else None)
        body = problem(response, 503, "database_unavailable")
        assert int(response.headers["Retry-After"]) == body["retry_s"] > 0
        for word in ("sql", "table", "file", "Traceback", str(server.file.parent)):
            assert word not in response.text


@pytest.mark.parametrize("break_it", BROKEN)
def test_without_its_database_a_server_is_up_but_not_ready(server, break_it):
    assert server.get("/healthz").get_json() == {"status": "ok"}
    assert server.get("/readyz").get_json() == {"status": "ready", "held": 0}
    break_it(server)
    assert server.get("/healthz").get_json() == {"status": "ok"}
    problem(server.get("/readyz"), 503, "database_unavailable")


def test_a_server_whose_watcher_has_gone_is_not_ready(server):
    server.feed.stop()
    assert server.get("/healthz").status_code == 200
    problem(server.get("/readyz"), 503, "database_unavailable")


def test_a_database_that_comes_back_is_used_again(server):
    the.make_mission(server.db)
    drop_tables(server)
    problem(server.get("/missions"), 503, "database_unavailable")
    with server.db.transaction() as conn:
        for table in ("missions", "requests", "workspaces", "tokens"):
            conn.exec_driver_sql(f"ALTER TABLE gone_{table} RENAME TO {table}")
    assert server.get("/missions").status_code == 200
