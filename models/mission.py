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
    text,
)

from models.base import Id, metadata

missions = Table(
    "missions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("engine", Text, nullable=False),
    # the registered project that it runs, if it does
    Column("project", Text),
    Column("spec", Text, nullable=False),
    Column("status", Text, nullable=False),
    # seq of the last STATUS event
    Column("rev", BigInteger, nullable=False, server_default="0"),
    # the mission's own event counter
    Column("mseq", BigInteger, nullable=False, server_default="0"),
    # Within its workspace: higher ones are claimed first, and none before its time.
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("not_before_ms", BigInteger),
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
    # JSON: agent → the same counts, of that agent's calls
    Column("usage_by_agent", Text, nullable=False, server_default="{}"),
    Column("tasks_done", Integer, nullable=False, server_default="0"),
    Column("tasks_total", Integer, nullable=False),
    Column("idempotency_key", Text),
    Column("idempotency_sha256", Text),
    UniqueConstraint("workspace_id", "idempotency_key"),
    # the list, newest first
    Index(None, "workspace_id", "id"),
    # the list by status
    Index(None, "workspace_id", "status", "id"),
    # the claim: nothing but what is queued
    Index(
        "ix_missions_queued",
        "workspace_id",
        "priority",
        "id",
        postgresql_where=text("status = 'queued'"),
        sqlite_where=text("status = 'queued'"),
    ),
    # what a worker holds; leases that ran out
    Index(
        "ix_missions_lease_owner",
        "lease_owner",
        postgresql_where=text("lease_owner IS NOT NULL"),
        sqlite_where=text("lease_owner IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)
