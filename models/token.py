"""A token: the key to one workspace, or to one thing in it (a share link). Only its hash is kept."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from models.base import metadata

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False),
    Column("sha256", Text, nullable=False),
    # comma-separated: read, answer, run, admin
    Column("scopes", Text, nullable=False),
    Column("name", Text),
    # Of a share link: the one mission to read, or the one question to answer.
    Column("mission_id", ForeignKey("missions.id")),
    Column("request_id", ForeignKey("requests.id")),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("last_used_ms", BigInteger),
)
