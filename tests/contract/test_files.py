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
