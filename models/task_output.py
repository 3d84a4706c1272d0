"""A finished task's output: what a later attempt needs to go on behind it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from models.base import metadata

task_outputs = Table(
    "task_outputs",
    metadata,
    Column("mission_id", ForeignKey("missions.id"), primary_key=True),
    Column("task", Text, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("agent", Text),
    Column("text", Text, nullable=False),
    # JSON as text, null when the task had no structured output
    Column("json", Text),
    Column("created_ms", BigInteger, nullable=False),
)
