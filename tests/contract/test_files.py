"""Files of missions: kept with their digest, listed without their content, never another workspace's."""

import hashlib

import pytest

from service.db import Database
from service.errors import Problem
from service.missions import files
from tests.contract import given as the
from tests.contract.given import WORKSPACE

CONTENT = bytes(range(256))


def store(db: Database, mission_id: int, name: str = "brief.md", content: bytes = CONTENT):
    with db.transaction() as conn:
        return files.store_output(conn, mission_id, name, content, task="draft")


def test_a_file_comes_back_byte_for_byte(db):
    mission_id = the.make_mission(db)
    described = store(db, mission_id)
    with db.reading() as conn:
        [listed] = files.of_mission(conn, mission_id)
        row = files.one(conn, WORKSPACE, listed["id"])
    assert row.content == CONTENT
    assert described["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert described.items() <= listed.items()
    assert (listed["bytes"], listed["media_type"]) == (256, "text/markdown")
    assert (listed["direction"], listed["task"]) == ("output", "draft")
    assert "content" not in listed


def test_a_files_name_is_repaired_and_its_type_is_guessed_or_unknown(db):
    described = store(db, the.make_mission(db), "nul\0 and half\ud83d")
    assert described["name"] == "nul\ufffd and half\ufffd"
    assert described["media_type"] == "application/octet-stream"


def test_files_are_listed_oldest_first_by_mission(db):
    one, other = the.make_mission(db), the.make_mission(db)
    for name in ("a.txt", "b.txt"):
        store(db, one, name, b"")
    store(db, other)
    with db.reading() as conn:
        assert [file["name"] for file in files.of_mission(conn, one)] == ["a.txt", "b.txt"]


def test_a_file_of_another_workspace_is_not_found(db):
    elsewhere = the.make_workspace(db, "elsewhere")
    mission_id = the.make_mission(db, elsewhere)
    store(db, mission_id)
    with db.reading() as conn:
        [listed] = files.of_mission(conn, mission_id)
        assert files.one(conn, elsewhere, listed["id"]).name == "brief.md"
        with pytest.raises(Problem) as refused:
            files.one(conn, WORKSPACE, listed["id"])
    assert refused.value.code == "not_found"


# What a mission is given


def given(db: Database, mission_id: int, *uploads: files.Upload) -> None:
    with db.transaction() as conn:
        files.store_inputs(conn, mission_id, uploads)


def test_a_file_is_read_by_its_name_and_what_was_made_hides_what_was_given(db):
    mission_id = the.make_mission(db)
    given(db, mission_id, files.Upload("a.md", b"given"), files.Upload("b.bin", CONTENT, "x/y"))
    with db.reading() as conn:
        assert files.read(conn, mission_id, "a.md") == b"given"
        assert files.read(conn, mission_id, "b.bin") == CONTENT
        assert files.read(conn, mission_id, "../a.md") is None
        assert [file["media_type"] for file in files.of_mission(conn, mission_id)] == [
            "text/markdown",
            "x/y",
        ]
    store(db, mission_id, "a.md", b"made")
    with db.reading() as conn:
        assert files.read(conn, mission_id, "a.md") == b"made"
        newest = files.newest_of_mission(conn, mission_id)
        assert [(file.name, file.direction) for file in newest] == [
            ("a.md", "output"),
            ("b.bin", "input"),
        ]


def test_a_file_that_is_made_again_takes_the_place_of_the_earlier_one(db):
    mission_id = the.make_mission(db)
    first, second = (store(db, mission_id, "a.md", text) for text in (b"one", b"two"))
    assert first["id"] == second["id"]
    with db.reading() as conn:
        assert files.one(conn, WORKSPACE, first["id"]).content == b"two"
        assert len(files.of_mission(conn, mission_id)) == 1


def test_files_of_one_mission_are_no_other_missions(db):
    one, other = the.make_mission(db), the.make_mission(db)
    given(db, one, files.Upload("a.md", b"given"))
    with db.reading() as conn:
        assert files.read(conn, other, "a.md") is None
    with db.transaction() as conn:
        files.copy_inputs(conn, one, other)
    with db.reading() as conn:
        assert files.read(conn, other, "a.md") == b"given"
