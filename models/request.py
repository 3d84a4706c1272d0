"""A request: one question to a human, its deadline and its answer."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from models.base import Id, metadata

requests = Table(
    "requests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False),
    Column("mission_id", ForeignKey("missions.id"), nullable=False),
    # seq of its HUMAN_INPUT_REQUEST and HUMAN_RESPONSE events
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("answer_seq", BigInteger),
    Column("attempt", Integer, nullable=False),
    # Names the question within its mission, so that an attempt that starts again after its
    # worker died finds the question it had asked instead of asking it twice.
    Column("key", Text, nullable=False),
    Column("agent", Text),
    Column("task", Text),
    Column("type", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("context", Text),
    # JSON as text
    Column("options", Text),
    Column("default", Text),
    Column("schema", Text),
    # pending, answered, expired, cancelled
    Column("status", Text, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("answer", Text),
    Column("answered_by", Text),
    Column("answered_ms", BigInteger),
    Column("answer_key", Text),
    # when the agent took the answer
    Column("read_ms", BigInteger),
    UniqueConstraint("mission_id", "key"),
    # the inbox, and the search for questions past their deadline
    Index(None, "status", "expires_ms"),
    Index(None, "workspace_id", "status", "id"),
    sqlite_autoincrement=True,
)
