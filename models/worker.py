"""A worker: a supervisor process that claims missions, and when it was last seen alive."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from models.base import metadata

workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    # Names the machine's process table: a neighbour with the same one can tell whether pid is alive.
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    # clock ticks since boot at which pid started: a number that was given out again differs
    Column("pid_started", BigInteger, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("stopped_ms", BigInteger),
    # how long its appends took: JSON of service.durations
    Column("appends", Text),
)
