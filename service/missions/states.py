"""The states of a mission and the moves between them."""

from enum import StrEnum


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"  # for a human
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in ENDED


ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
HELD = frozenset({Status.RUNNING, Status.WAITING})  # by a worker, under a lease

MOVES: dict[Status, frozenset[Status]] = {
    # An expired lease's last attempt fails without running again; a queued one can be cancelled.
    Status.QUEUED: frozenset({Status.RUNNING, Status.FAILED, Status.CANCELLED}),
    Status.RUNNING: frozenset({Status.WAITING, Status.QUEUED, *ENDED}),
    Status.WAITING: frozenset({Status.RUNNING, Status.QUEUED, *ENDED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}
