"""How many missions of one workspace may wait for a worker. How many may run, `queue` decides."""

from sqlalchemy import Connection, func, select

from models import missions
from service.errors import Problem
from service.missions.states import Status

RETRY_S = 30  # a queue that long does not empty in a moment


def check(conn: Connection, workspace_id: int, *, most: int) -> None:
    """Raises Problem too_many_queued. Two at once may pass it by one: it guards a disk, not a price."""
    queued = conn.execute(
        select(func.count()).where(
            missions.c.workspace_id == workspace_id, missions.c.status == Status.QUEUED
        )
    ).scalar_one()
    if queued >= most:
        raise Problem("too_many_queued", f"At most {most} may wait.", limit=most, retry_s=RETRY_S)
