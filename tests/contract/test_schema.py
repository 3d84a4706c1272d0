"""The schema: migrations make what the models say, from any state and from many processes at once."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select

from models import metadata, workspaces
from service import schema
from service.config import Settings
from service.db import Database
from tests.contract import given as the
from tests.contract.processes import run_together

OF_THE_QUEUE = "procrastinate_"


@pytest.fixture
def empty(server, settings):
    """A database without a table."""
    server.clear(settings)
    database = Database(settings)
    yield database
    database.close()


def tables(db: Database) -> set[str]:
    """Our own: those of the queue on PostgreSQL come and go with them."""
    with db.reading() as conn:
        return set(inspect(conn).get_table_names()) - tables_of_the_queue(db)


def tables_of_the_queue(db: Database) -> set[str]:
    with db.reading() as conn:
        return {name for name in inspect(conn).get_table_names() if name.startswith(OF_THE_QUEUE)}


def feeds(db: Database) -> list[str]:
    with db.reading() as conn:
        return list(conn.execute(select(workspaces.c.feed)).scalars())


def test_an_empty_database_is_brought_to_the_newest_revision(empty):
    assert schema.current(empty) is None
    schema.upgrade(empty)
    assert schema.current(empty) == schema.newest() is not None
    assert tables(empty) == {*metadata.tables, "alembic_version"}


def test_the_newest_revision_is_the_one_that_alembic_has():
    assert schema.newest() == ScriptDirectory(str(schema.MIGRATIONS)).get_current_head()


def test_there_is_one_workspace_from_the_beginning(db):
    with db.reading() as conn:
        [row] = conn.execute(select(workspaces)).all()
    assert (row.id, row.name, row.head, row.oldest) == (the.WORKSPACE, "default", 0, 1)


def test_migrations_make_what_the_models_say(db):
    with db.reading() as conn:
        context = MigrationContext.configure(
            conn,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, *_: not str(name).startswith(OF_THE_QUEUE),
            },
        )
        assert compare_metadata(context, metadata) == []


def test_upgrading_again_changes_nothing(db):
    before = feeds(db)
    mission_id = the.make_mission(db)
    schema.upgrade(db)
    assert feeds(db) == before
    assert the.mission(db, mission_id)["status"] == "queued"


def test_a_migration_can_be_taken_back_and_made_again(db):
    assert bool(tables_of_the_queue(db)) is not db.is_sqlite
    schema.downgrade(db, "base")
    assert tables(db) == {"alembic_version"}
    assert tables_of_the_queue(db) == set()
    assert schema.current(db) is None
    schema.upgrade(db)
    assert schema.current(db) == schema.newest()
    the.complete(db, the.running(db))


def test_a_database_with_data_can_be_taken_back(db):
    claimed = the.running(db)
    the.ask(db, claimed)
    the.finish_task(db, claimed, "research")
    schema.downgrade(db, "base")
    assert tables(db) == {"alembic_version"}


def test_a_recreated_database_is_another_feed(db):
    before = feeds(db)
    schema.downgrade(db, "base")
    schema.upgrade(db)
    assert set(feeds(db)).isdisjoint(before)


def upgrade(settings: Settings) -> str | None:
    db = Database(settings)
    schema.upgrade(db)
    revision = schema.current(db)
    db.close()
    return revision


def test_processes_that_upgrade_at_once_all_succeed(settings, empty):
    assert run_together([(upgrade, settings)] * 4) == [schema.newest()] * 4
    assert len(feeds(empty)) == 1
