"""The name of a log. A restored database gets new ones, so that old cursors are not taken for its own."""

import secrets

from sqlalchemy import Connection, select, update

from models import workspaces


def new_name() -> str:
    return secrets.token_hex(6)


def rename(conn: Connection, workspace: str | None = None) -> list[str]:
    """Give the logs of a workspace, or of all, new names. Returns the workspaces that got one."""
    which = select(workspaces.c.id, workspaces.c.name).order_by(workspaces.c.id)
    if workspace is not None:
        which = which.where(workspaces.c.name == workspace)
    found = conn.execute(which).all()
    for row in found:
        this = workspaces.c.id == row.id
        conn.execute(update(workspaces).where(this).values(feed=new_name()))
    return [row.name for row in found]
