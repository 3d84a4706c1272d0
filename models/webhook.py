"""A webhook: where chosen events are sent; and its deliveries, one for each event, with their tries."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from models.base import Id, metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False),
    # null: all missions of the workspace
    Column("mission_id", ForeignKey("missions.id")),
    Column("url", Text, nullable=False),
    # Signs deliveries, so it is needed as it is; shown once, when it is made.
    Column("secret", Text, nullable=False),
    # comma-separated
    Column("kinds", Text, nullable=False),
    # cursor: deliveries exist for all chosen events up to here
    Column("after", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
    Index(None, "workspace_id"),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("webhook_id", ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    # The very bytes that are signed and sent, also when the event itself has been pruned.
    Column("body", Text, nullable=False),
    # pending, delivered, failed
    Column("status", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    # When it is due. Who sends it moves this ahead first, so that nobody else does meanwhile.
    Column("next_ms", BigInteger, nullable=False),
    Column("response", Integer),
    Column("error", Text),
    Column("created_ms", BigInteger, nullable=False),
    Column("delivered_ms", BigInteger),
    UniqueConstraint("webhook_id", "seq"),
    Index(None, "status", "next_ms"),
    sqlite_autoincrement=True,
)
