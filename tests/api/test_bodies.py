"""What a body may be: JSON of a bounded size and depth, in UTF-8, that says what it is."""

from typing import Any

import orjson
import pytest

from service.api.parsing import BODY_MAX_BYTES, DEPTH_MAX
from tests.api.server import Endless, Server, problem
from tests.contract import given as the
from tests.contract.given import SPEC

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
CHUNKED = {"Transfer-Encoding": "chunked"}

# Every path that takes a body of JSON.
TAKES_JSON = ["/missions", "/requests/1"]


@pytest.fixture(scope="module", autouse=True)
def question(shared: Server) -> None:
    the.ask(shared.db, the.running(shared.db))


def send(server: Server, path: str, data: Any, content_type: str | None = JSON, **headers: str):
    """A refused body: nothing of it may be stored."""
    before = server.poll()["head"]
    response = server.request("POST", path, data=data, content_type=content_type, headers=headers)
    assert server.poll()["head"] == before
    return response


def chunked(server: Server, path: str, stream: Any, content_type: str = JSON):
    """A body without a Content-Length, as gunicorn hands it on."""
    return server.request(
        "POST",
        path,
        content_type=content_type,
        headers=CHUNKED,
        environ_overrides={"wsgi.input": stream, "wsgi.input_terminated": True},
    )


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("path", TAKES_JSON)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": 1e400}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\0"}',
        b'{"a": 1} {"b": 2}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"agents=1",
        b"\x1f\x8b\x08\x00",
        nested(DEPTH_MAX + 1),
        nested(100_000),
        b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        b"[" * 200_000,
    ],
    ids=lambda data: repr(data[:16]),
)
def test_what_is_not_json_in_utf8_is_refused(shared, path, data):
    problem(send(shared, path, data), 400, "malformed_json")


@pytest.mark.parametrize("path", TAKES_JSON)
def test_nesting_within_the_limit_is_read(shared, path):
    assert send(shared, path, nested(DEPTH_MAX)).status_code == 422


@pytest.mark.parametrize("path", TAKES_JSON)
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "multipart/mixed; boundary=x",
        "json",
    ],
)
def test_a_body_that_does_not_say_json_is_refused(shared, path, content_type):
    response = send(shared, path, orjson.dumps(SPEC), content_type)
    problem(response, 415, "unsupported_media_type")


def test_a_mission_is_not_taken_from_a_form(shared):
    problem(send(shared, "/missions", "agents=1", FORM), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json; charset=utf-8", "Application/JSON"]
)
def test_a_body_that_says_json_is_read(server, content_type):
    response = server.request(
        "POST", "/missions", data=orjson.dumps(SPEC), content_type=content_type
    )
    assert response.status_code == 201


@pytest.mark.parametrize("path", TAKES_JSON)
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
def test_a_compressed_body_is_refused(shared, path, encoding):
    response = send(shared, path, orjson.dumps(SPEC), **{"Content-Encoding": encoding})
    problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("path", [*TAKES_JSON, "/missions/1/cancel", "/missions/1/retry"])
def test_a_body_over_the_limit_is_refused(shared, path):
    body = problem(send(shared, path, b" " * (BODY_MAX_BYTES + 1)), 413, "body_too_large")
    assert body["limit"] == BODY_MAX_BYTES


@pytest.mark.parametrize("path", [*TAKES_JSON, "/missions/1/cancel", "/missions/1/retry"])
def test_a_chunked_body_is_counted_while_it_is_read(shared, path):
    endless = Endless()
    problem(chunked(shared, path, endless), 413, "body_too_large")
    assert endless.taken == BODY_MAX_BYTES + 1


@pytest.mark.parametrize("path", ["/requests/1", "/login"])
def test_a_form_is_counted_while_it_is_read(shared, path):
    endless = Endless()
    problem(chunked(shared, path, endless, FORM), 413, "body_too_large")
    assert endless.taken == BODY_MAX_BYTES + 1


def test_a_chunked_body_within_the_limit_is_read(server):
    response = server.request(
        "POST",
        "/missions",
        data=orjson.dumps(SPEC),
        content_type=JSON,
        headers=CHUNKED,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert response.status_code == 201


def test_a_body_of_just_the_limit_is_read(server):
    data = orjson.dumps(SPEC).ljust(BODY_MAX_BYTES)
    response = server.request("POST", "/missions", data=data, content_type=JSON)
    assert response.status_code == 201


@pytest.mark.parametrize("data", [b"answer=%FF", b"answer=\xff", b"&".join([b"a=1"] * 21)])
def test_a_form_that_is_none_is_refused(shared, data):
    problem(send(shared, "/requests/1", data, FORM), 400, "bad_request")


@pytest.mark.parametrize(
    ("path", "query"),
    [("/missions", "client"), ("/requests/1", "answer"), ("/missions/1/cancel", "x")],
)
def test_a_parameter_where_the_body_speaks_is_refused(shared, path, query):
    response = shared.post(f"{path}?{query}=1", SPEC)
    assert problem(response, 422, "unknown_field")["field"] == query
