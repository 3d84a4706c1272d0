"""The audit log: who created, cancelled and answered, and who made and ended tokens.

Written in the transaction of the deed itself: one is not there without the other.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from models import audit, workspaces
from service import clock
from service.security.tokens import Access

WRITE = insert(audit)  # once: building it costs more than what it does
COMMAND_LINE = "command line"  # whoever can run it there owns the database anyway


def note(conn: Connection, access: Access, action: str, subject: str) -> None:
    """Write down what a caller does. action: `mission.created`; subject: `mission 7`."""
    _write(conn, access.workspace_id, access.name, access.token_id, action, subject)


def note_operator(conn: Connection, workspace_id: int, action: str, subject: str) -> None:
    """Write down what was done on the command line."""
    _write(conn, workspace_id, COMMAND_LINE, None, action, subject)


def newest(
    conn: Connection, *, workspace: str | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """The last entries, oldest first, with the names of their workspaces."""
    query = select(audit, workspaces.c.name.label("workspace")).join(
        workspaces, workspaces.c.id == audit.c.workspace_id
    )
    if workspace is not None:
        query = query.where(workspaces.c.name == workspace)
    return conn.execute(query.order_by(audit.c.id.desc()).limit(limit)).all()[::-1]


def _write(
    conn: Connection, workspace_id: int, actor: str, token_id: str | None, action: str, subject: str
) -> None:
    conn.execute(
        WRITE,
        {
            "workspace_id": workspace_id,
            "at_ms": clock.now_ms(),
            "actor": actor,
            "token_id": token_id,
            "action": action,
            "subject": subject,
        },
    )
