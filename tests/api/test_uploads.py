"""A mission with its files: both are stored, or neither; names are data, sizes have bounds."""

import io
from typing import Any

import orjson
import pytest

from tests.api.server import Endless, Server, problem
from tests.contract.given import SPEC

FILE_MAX, UPLOAD_MAX = 20_000, 300_000
BYTES = bytes(range(256))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    """A server with small bounds."""
    folder = tmp_path_factory.mktemp("uploads")
    with Server(folder, file_max_bytes=FILE_MAX, upload_max_bytes=UPLOAD_MAX) as running:
        yield running


def form(*files: tuple[str, bytes], mission: Any = SPEC, **further: Any) -> dict[str, Any]:
    """What a browser or curl sends."""
    text = mission if isinstance(mission, str | bytes) else orjson.dumps(mission).decode()
    return {"mission": text, "file": [(io.BytesIO(c), n) for n, c in files], **further}


def send(server: Server, data: dict[str, Any], **headers: str):
    return server.request(
        "POST", "/missions", data=data, content_type="multipart/form-data", headers=headers
    )


def refused(server: Server, data: dict[str, Any], status: int, code: str) -> dict[str, Any]:
    """A refused upload: nothing of it is stored."""
    before = server.poll()["head"]
    response = send(server, data)
    assert server.poll()["head"] == before
    return problem(response, status, code)


def files_of(server: Server, mission_id: int) -> list[dict[str, Any]]:
    return server.get(f"/missions/{mission_id}/files").get_json()["files"]


def test_a_mission_has_the_files_that_came_with_it(shared: Server) -> None:
    created = send(shared, form(("notes.md", b"# Notes"), ("Ünï codé 1.bin", BYTES)))
    assert created.status_code == 201, created.text
    notes, binary = files_of(shared, created.get_json()["id"])
    assert (notes["name"], notes["direction"], notes["media_type"]) == (
        "notes.md", "input", "text/markdown",
    )  # fmt: skip
    assert (binary["name"], binary["bytes"], binary["task"]) == ("Ünï codé 1.bin", 256, None)
    got = shared.get(f"/files/{binary['id']}")
    assert got.data == BYTES
    assert got.headers["Content-Disposition"].startswith("attachment;")


def test_a_mission_without_files_may_come_in_parts_too(shared: Server) -> None:
    created = send(shared, form())
    assert created.status_code == 201
    assert files_of(shared, created.get_json()["id"]) == []


def test_the_mission_may_be_a_file_of_its_own_as_curl_sends_it(shared: Server) -> None:
    data = {"mission": (io.BytesIO(orjson.dumps(SPEC)), "mission.json", "application/json")}
    assert send(shared, data).status_code == 201


def test_a_forms_field_where_nobody_chose_a_file_is_none(shared: Server) -> None:
    part = b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--'
    response = shared.request(
        "POST", "/missions", data=PART + part, content_type="multipart/form-data; boundary=x"
    )
    assert response.status_code == 201, response.text
    assert files_of(shared, response.get_json()["id"]) == []


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "a\tb", "x" * 201])
def test_a_name_that_could_be_a_path_is_refused(shared: Server, name: str) -> None:
    told = refused(shared, form(("good.txt", b""), (name, b"x")), 422, "invalid")
    assert told["errors"][0]["pointer"] == "/file/1"


def test_a_name_stands_for_one_file(shared: Server) -> None:
    told = refused(shared, form(("a.txt", b"1"), ("a.txt", b"2")), 422, "invalid")
    assert told["errors"][0]["pointer"] == "/file/1"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ({"file": [(io.BytesIO(b""), "a.txt")]}, 422, "invalid"),
        (form(other="x"), 422, "invalid"),
        (form(mission="{"), 400, "malformed_json"),
        (form(mission="{}"), 422, "invalid"),
        (form(mission={**SPEC, "agentss": []}), 422, "unknown_field"),
        (form(mission=b"\xff"), 400, "malformed_json"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_files(
    shared: Server, data: dict[str, Any], status: int, code: str
) -> None:
    refused(shared, data, status, code)


def test_a_file_that_is_too_large_is_refused_with_its_name_and_the_limit(shared: Server) -> None:
    send(shared, form(("fits.bin", b"x" * FILE_MAX)))
    told = refused(shared, form(("large.bin", b"x" * (FILE_MAX + 1))), 413, "body_too_large")
    assert told["limit"] == FILE_MAX
    assert "large.bin" in told["detail"]


def knowing(name: str) -> dict[str, Any]:
    return {**SPEC, "agents": [{**SPEC["agents"][0], "knowledge": [name]}]}


def test_an_agent_knows_only_files_that_came_with_the_mission(shared: Server) -> None:
    assert send(shared, form(("a.md", b"x"), mission=knowing("a.md"))).status_code == 201
    told = refused(shared, form(("a.md", b"x"), mission=knowing("b.md")), 422, "invalid")
    assert told["errors"][0]["pointer"] == "/agents/0/knowledge/0"
    problem(shared.post("/missions", knowing("a.md")), 422, "invalid")


def test_files_that_are_too_large_together_are_refused(shared: Server) -> None:
    many = [(f"{n}.bin", b"x" * FILE_MAX) for n in range(UPLOAD_MAX // FILE_MAX + 1)]
    assert refused(shared, form(*many), 413, "body_too_large")["limit"] == UPLOAD_MAX


def test_too_many_files_are_refused(shared: Server) -> None:
    many = [(f"{n}.txt", b"") for n in range(51)]
    assert refused(shared, form(*many), 413, "body_too_large")["limit"] == 50


def test_a_body_without_a_length_is_read_no_further_than_its_limit(shared: Server) -> None:
    stream = Endless()
    response = shared.request(
        "POST",
        "/missions",
        content_type="multipart/form-data; boundary=x",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": stream, "wsgi.input_terminated": True},
    )
    problem(response, 413, "body_too_large")
    assert stream.taken <= UPLOAD_MAX + 1


PART = b'--x\r\nContent-Disposition: form-data; name="mission"\r\n\r\n' + orjson.dumps(SPEC)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (PART, "multipart/form-data; boundary=x"),  # cut off
        (PART + b"\r\n--x--", "multipart/form-data"),
        (b"", "multipart/form-data; boundary=x"),
        (b"nothing of the kind", "multipart/form-data; boundary=x"),
    ],
)
def test_what_is_no_whole_form_is_refused(shared: Server, data: bytes, content_type: str) -> None:
    before = shared.poll()["head"]
    response = shared.request("POST", "/missions", data=data, content_type=content_type)
    assert response.status_code in (400, 422)
    assert shared.poll()["head"] == before


def test_the_same_key_and_the_same_files_are_the_same_mission(shared: Server) -> None:
    """Whatever boundary the client drew for each try."""
    first = send(shared, form(("a.txt", b"1")), Idempotency_Key="k1")
    again = send(shared, form(("a.txt", b"1")), Idempotency_Key="k1")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.get_json()["id"] == first.get_json()["id"]
    other = send(shared, form(("a.txt", b"2")), Idempotency_Key="k1")
    problem(other, 422, "key_reused")
    assert len(files_of(shared, first.get_json()["id"])) == 1


def test_a_mission_that_is_tried_again_has_the_same_files(shared: Server) -> None:
    created = send(shared, form(("a.bin", BYTES))).get_json()
    again = shared.post(f"/missions/{created['id']}/retry").get_json()
    (one,), (other,) = files_of(shared, created["id"]), files_of(shared, again["id"])
    assert one["id"] != other["id"]
    assert shared.get(f"/files/{other['id']}").data == BYTES
    assert other["direction"] == "input"
