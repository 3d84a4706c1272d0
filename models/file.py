"""A file: what a mission was given or has made. The bytes are here too: processes share nothing else."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from models.base import Id, metadata

files = Table(
    "files",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False),
    Column("mission_id", ForeignKey("missions.id"), nullable=False),
    # input or output
    Column("direction", Text, nullable=False),
    Column("task", Text),
    # As it was given: data to show, never a path to open.
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index(None, "mission_id", "id"),
    sqlite_autoincrement=True,
)
