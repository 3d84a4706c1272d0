"""Whether a new mission may come in: not twice under one key, and not where too many wait already.

How many may run at once, `queue` decides.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection

from service.db import rows
from service.errors import Problem

RETRY_S = 30  # a queue that long does not empty in a moment
# Asked for each POST, so for the driver: to build a statement costs more than it does.
STANDING = """
SELECT waiting.many, earlier.id, earlier.idempotency_sha256
FROM (SELECT count(*) AS many FROM missions WHERE workspace_id = ? AND status = 'queued') AS waiting
LEFT JOIN missions AS earlier ON earlier.workspace_id = ? AND earlier.idempotency_key = ?
"""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's key for a POST, and what it sent: the same key may only mean the same body."""

    key: str
    sha256: str

    @classmethod
    def of(cls, key: str, body: bytes) -> "Idempotency":
        return cls(key, hashlib.sha256(body).hexdigest())

    def lock(self, workspace_id: int) -> int:
        """The number to lock, so that of two that come with one key the second sees what the first made."""
        told_apart = hashlib.sha256(f"{workspace_id} {self.key}".encode()).digest()
        return int.from_bytes(told_apart[:8], signed=True)


def check(
    conn: Connection, workspace_id: int, idempotency: Idempotency | None, *, most: int
) -> int | None:
    """The mission that was made under the key before; None where a new one may be made.

    In a transaction that began with the key's lock. most: how many may wait. Two at once may pass it by
    one: it guards a disk, not a price. Raises Problem key_reused, too_many_queued.
    """
    given = (workspace_id, workspace_id, idempotency and idempotency.key)
    ((waiting, earlier, sha256),) = rows(conn, STANDING, given)
    if idempotency and earlier is not None:
        if sha256 != idempotency.sha256:
            raise Problem("key_reused")
        return int(earlier)
    if waiting >= most:
        raise Problem("too_many_queued", f"At most {most} may wait.", limit=most, retry_s=RETRY_S)
    return None
