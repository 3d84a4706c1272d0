"""A mission: what was asked for, where it stands, and which worker holds it."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from models.base import Id, metadata

missions = Table(
    "missions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("status", Text, nullable=False),
    # seq of the last STATUS event
    Column("rev", BigInteger, nullable=False, server_default="0"),
    # the mission's own event counter
    Column("mseq", BigInteger, nullable=False, server_default="0"),
    # Which run this is: 0 before the first claim. With lease_owner it fences every write.
    Column("attempt", Integer, nullable=False, server_default="0"),
    # How many attempts ended because their worker was lost.
    Column("losses", Integer, nullable=False, server_default="0"),
    Column("lease_owner", Text),
    Column("lease_until_ms", BigInteger),
    Column("cancel_requested_ms", BigInteger),
    Column("on_worker_lost", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("retry_of", ForeignKey("missions.id")),
    Column("result", Text),
    Column("error", Text),
    Column("prompt_tokens", BigInteger, nullable=False, server_default="0"),
    Column("completion_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cached_tokens", BigInteger, nullable=False, server_default="0"),
    Column("reasoning_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cost_usd", Float),
    Column("tasks_done", Integer, nullable=False, server_default="0"),
    Column("tasks_total", Integer, nullable=False),
    Column("idempotency_key", Text),
    Column("idempotency_sha256", Text),
    UniqueConstraint("workspace_id", "idempotency_key"),
    # the list, newest first
    Index(None, "workspace_id", "id"),
    # the claim, oldest queued first; leases that ran out
    Index(None, "status", "id"),
    sqlite_autoincrement=True,
)
