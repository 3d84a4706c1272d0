"""Pages and files: pages under a strict policy, files as attachments that no browser runs."""

import gzip
import hashlib

import pytest

from tests.api.server import problem
from tests.contract import given as the

PAGES = ["/", "/new", "/inbox", "/m/1", "/login"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_html_under_a_strict_policy(shared, path):
    response = shared.get(path)
    assert (response.status_code, response.mimetype) == (200, "text/html")
    policy = dict(
        part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; ")
    )
    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_loads_is_there(shared, path):
    for part in shared.get(path).text.split('"'):
        if part.startswith("/static/"):
            response = shared.get(part)
            assert response.status_code == 200, part
            assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", [*PAGES, "/events", "/healthz", "/nothing"])
def test_every_answer_says_that_its_type_is_meant(shared, path):
    response = shared.get(path)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"


def test_a_page_is_asked_for_each_time_and_sent_when_it_is_new(shared):
    first = shared.get("/")
    assert first.headers["Cache-Control"] == "no-cache"
    again = shared.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_what_a_page_names_is_kept_for_good_and_changes_its_name_with_its_content(shared):
    [script] = {part for part in shared.get("/").text.split('"') if part.endswith("/missions.js")}
    assert "immutable" in shared.get(script).headers["Cache-Control"]
    build = shared.get("/static/build.json").get_json()["build"]
    assert script == f"/static/~{build}/js/missions.js"

    older = shared.get(script.replace(build, "0" * 16))
    assert (older.status_code, older.headers["Cache-Control"]) == (200, "no-cache")
    assert shared.get(f"/static/~{build}/../../setup.cfg").status_code == 404


@pytest.mark.parametrize("name", ["index.html", "templates/app.html", "../static/index.html"])
def test_a_page_is_had_by_its_own_address_alone(shared, name):
    problem(shared.get(f"/static/{name}"), 404, "not_found")


def test_a_range_beyond_a_file_is_the_client_s_fault(shared):
    problem(
        shared.get("/static/js/api.js", headers={"Range": "bytes=9999999-"}), 400, "bad_request"
    )


def test_a_page_is_sent_compressed_to_who_takes_that(shared):
    plain, packed = (
        shared.get("/", headers=headers) for headers in ({}, {"Accept-Encoding": "gzip"})
    )
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Content-Encoding" not in plain.headers


def test_what_a_new_mission_may_name_is_offered(shared):
    offer = shared.get("/offers").get_json()
    assert "ask_human" in offer["tools"]
    assert offer["models"]


def test_the_list_is_narrowed_by_engine_and_title(server):
    made = [the.make_mission(server.db, title=title) for title in ("100% wool", "A Brief", "Other")]
    for query, found in (
        ({"q": "brief"}, [made[1]]),
        ({"q": "100%"}, [made[0]]),
        ({"q": "_"}, []),
        ({"engine": "langchain"}, []),
        ({"engine": "crewai", "status": "queued"}, made[::-1]),
    ):
        listed = server.get("/missions", query).get_json()["missions"]
        assert [mission["id"] for mission in listed] == found, query


def test_without_scripts_a_question_is_answered_on_the_page_itself(server):
    claimed = the.running(server.db)
    request = the.ask(server.db, claimed)
    path = f"/m/{claimed.mission_id}/plain"
    assert "Is this draft right?" in server.get(path).text
    form = {"request": request, "answer": "<b>No</b>"}
    assert server.request("POST", path, data=form).status_code == 303
    assert "&lt;b&gt;No&lt;/b&gt;" in server.get(path).text
    refused = server.request("POST", path, data=form | {"answer": "Yes"})
    assert (refused.status_code, refused.mimetype) == (409, "text/html")
    problem(server.get("/m/999/plain"), 404, "not_found")


# Files


def test_a_file_is_listed_with_these_keys(server):
    mission_id = the.make_mission(server.db)
    server.store_file(mission_id, "notes.md", b"*Notes*")
    answer = server.get(f"/missions/{mission_id}/files").get_json()
    [file] = answer["files"]
    assert answer == {
        "files": [
            {
                "id": 1,
                "mission": mission_id,
                "direction": "output",
                "task": "draft",
                "name": "notes.md",
                "bytes": 7,
                "sha256": hashlib.sha256(b"*Notes*").hexdigest(),
                "media_type": "text/markdown",
                "created_at": file["created_at"],
            }
        ]
    }


def test_files_are_listed_as_they_were_made(server):
    mission_id = the.make_mission(server.db)
    for name in ("b.md", "a.md"):
        server.store_file(mission_id, name, b"x")
    listed = server.get(f"/missions/{mission_id}/files").get_json()["files"]
    assert [file["name"] for file in listed] == ["b.md", "a.md"]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("notes.md", "notes.md"),
        ("page.html", "page.html"),
        ("picture.svg", "picture.svg"),
        ("ü ☀️.txt", "%C3%BC%20%E2%98%80%EF%B8%8F.txt"),
        ('a";\r\nSet-Cookie: x=1', "a%22%3B%0D%0ASet-Cookie%3A%20x%3D1"),
        ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
        ("no-ending", "no-ending"),
    ],
)
def test_a_file_is_sent_as_an_attachment_under_its_name(server, name, sent):
    content = b"<script>alert(1)</script>\0\xff"
    server.store_file(the.make_mission(server.db), name, content)
    response = server.get("/files/1")
    assert (response.status_code, response.data) == (200, content)
    assert response.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{sent}"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers


def test_a_file_that_there_is_not_is_not_found(shared):
    for path in ("/files/1", "/files/0", "/files/notes.md", "/missions/1/files"):
        problem(shared.get(path), 404, "not_found")
