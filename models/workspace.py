"""A workspace: who shares missions, and whose counter numbers their events."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from models.base import Id, metadata

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # Names the log: a client that sees another feed starts again from 0.
    Column("feed", Text, nullable=False, unique=True),
    # seq of the newest event; the rows are visible up to here, without holes.
    Column("head", BigInteger, nullable=False, server_default="0"),
    # seq of the oldest event that is still stored.
    Column("oldest", BigInteger, nullable=False, server_default="1"),
    # Counts tokens revoked and missions deleted: who was let in before has to be asked again.
    Column("access_changes", Integer, nullable=False, server_default="0"),
    # Missions that may be held at once; null: as many as the workers' setting says.
    Column("max_running", Integer),
    # When a mission of it was claimed last: who waited longest is served next.
    Column("claimed_ms", BigInteger, nullable=False, server_default="0"),
    # seq up to which missions that ended have been sent as traces; null before the first look
    Column("traced", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
