"""A project: code of the operator's own that missions may run, and what is known of it."""

from sqlalchemy import BigInteger, Column, Table, Text

from models.base import metadata

projects = Table(
    "projects",
    metadata,
    Column("name", Text, primary_key=True),
    # A folder, or MODULE:OBJECT, or FILE:OBJECT. Only an operator writes it, no request.
    Column("target", Text, nullable=False),
    # command (longline project add) or environment (LONGLINE_PROJECTS)
    Column("source", Text, nullable=False),
    # crew, flow, graph or runnable, and the engine that runs it; null while it cannot be loaded
    Column("kind", Text),
    Column("engine", Text),
    Column("description", Text),
    # JSON Schema of its inputs, as text
    Column("inputs", Text),
    # why it could not be loaded
    Column("error", Text),
    Column("looked_ms", BigInteger, nullable=False),
)
