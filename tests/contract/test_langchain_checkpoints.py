"""What a LangChain run kept to go on from: there while its mission goes on, and not a minute longer."""

from pathlib import Path

from langgraph.checkpoint.base import empty_checkpoint

from service.agents.langchain.checkpoints import opened
from service.config import Settings
from service.db import Database
from service.missions import checkpoints, commands
from tests.contract import given as the


def keep_something(settings: Settings, mission_id: int, thread_id: str | None = None) -> None:
    """As a run does that is interrupted in the middle of a task; or another program, by its thread."""
    with opened(settings, mission_id, 0) as kept:
        thread = kept.config("draft")
        thread["configurable"]["checkpoint_ns"] = ""
        thread["configurable"]["thread_id"] = thread_id or thread["configurable"]["thread_id"]
        saved = kept.saver.put(thread, empty_checkpoint(), {}, {})
        kept.saver.put_writes(saved, [("messages", "words of somebody")], "a step")


def is_kept(settings: Settings, mission_id: int) -> bool:
    with opened(settings, mission_id, 0) as kept:
        return kept.saver.get_tuple(kept.config("draft")) is not None


def test_what_was_kept_goes_with_its_mission(db: Database, settings: Settings) -> None:
    going_on, ended, unknown = the.make_mission(db), the.make_mission(db), 4711
    for mission_id in (going_on, ended, unknown):
        keep_something(settings, mission_id)
    with db.transaction() as conn:
        commands.cancel(conn, the.WORKSPACE, ended)

    checkpoints.sweep(db, settings.data)

    assert is_kept(settings, going_on)
    assert not is_kept(settings, ended)
    assert not is_kept(settings, unknown)


def test_what_another_program_keeps_in_the_same_tables_is_not_ours(
    db: Database, settings: Settings
) -> None:
    mission_id = the.make_mission(db)
    threads = ["user-1", "4711", "4711:draft", "user:0:draft"]
    for thread in threads:
        keep_something(settings, mission_id, thread)

    checkpoints.sweep(db, settings.data)

    with opened(settings, mission_id, 0) as kept:
        for thread in threads:
            assert kept.saver.get_tuple({"configurable": {"thread_id": thread}}) is not None


def test_where_nothing_was_kept_there_is_nothing_to_do(db: Database, tmp_path: Path) -> None:
    checkpoints.sweep(db, tmp_path)
    assert not checkpoints.folder(tmp_path).exists()
