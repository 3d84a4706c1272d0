"""How Alembic reaches the database: over the connection of `service.schema`, or by itself."""

from alembic import context

from models import metadata
from service import config
from service.db import Database


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    with Database(config.load()).transaction() as conn:  # the alembic command, in a checkout
        _migrate(conn)


def _migrate(connection) -> None:  # noqa: ANN001
    # One transaction for all of it, also on SQLite, whose DDL is transactional once we begin it.
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=True,
        # the queue's tables come from its package
        include_name=lambda name, *_: not str(name).startswith("procrastinate_"),
    )
    context.run_migrations()


run()
