"""An event: one row of a workspace's log. Written once, never changed."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from models.base import Id, metadata

events = Table(
    "events",
    metadata,
    # No foreign keys: the append has just updated, and so locked, both rows.
    Column("workspace_id", Id, primary_key=True, autoincrement=False),
    # Taken from workspaces.head in the writing transaction, never from a sequence: ids of a
    # sequence commit out of order, and a reader that follows them loses rows.
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("mission_id", Id, nullable=False),
    Column("mseq", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("agent", Text),
    Column("task", Text),
    Column("call", Text),
    # JSON as text: jsonb refuses \u0000 and lone surrogates, and orders keys anew.
    Column("data", Text, nullable=False),
    # one mission's part of the log, on the workspace's cursor
    Index(None, "mission_id", "seq", unique=True),
)
