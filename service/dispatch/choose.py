"""Which dispatch is used: by the database alone, unless LONGLINE_DISPATCH says otherwise."""

from collections.abc import Callable
from typing import Protocol

from service.config import Settings
from service.db import Database
from service.dispatch.handover import HandOver, ToWhoLooks
from service.dispatch.local import LocalDispatch


class Dispatch(HandOver, Protocol):
    """What a worker is told by."""

    def waitables(self) -> list[int]: ...

    def pause_s(self, most_s: float) -> float: ...

    @property
    def told(self) -> bool: ...

    def has_news(self) -> bool: ...

    def settled(self, *, has_room: bool) -> None: ...

    def close(self) -> None: ...


def for_clients(settings: Settings, db: Database) -> HandOver:
    """How the web process hands missions over."""
    if not _distributed(settings, db):
        return ToWhoLooks()
    # Here and not above: it brings psycopg along, which must not be there before gevent is.
    from service.dispatch.distributed import ToTheQueue

    return ToTheQueue()


def for_worker(
    settings: Settings, db: Database, wake: Callable[[], None], *, name: str
) -> Dispatch:
    """How a worker is told of missions. wake: called from another thread at news."""
    if not _distributed(settings, db):
        return LocalDispatch(db, wake)
    from service.dispatch.distributed import DistributedDispatch  # as above

    return DistributedDispatch(db, wake, name=name, renew_s=settings.renew_s)


def _distributed(settings: Settings, db: Database) -> bool:
    return settings.dispatch != "local" and not db.is_sqlite
