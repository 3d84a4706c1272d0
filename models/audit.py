"""The audit log: who did what, and when. Written once, with what it tells of; never changed."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from models.base import Id, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    # the name that answers carry, and the token behind it: null for open loopback and the command line
    Column("actor", Text, nullable=False),
    Column("token_id", Text),
    # mission.created, request.answered, token.revoked …
    Column("action", Text, nullable=False),
    # what it was done to: `mission 7`, `token 0a1b2c3d4e5f`
    Column("subject", Text, nullable=False),
    Index(None, "workspace_id", "id"),
    sqlite_autoincrement=True,
)
