"""The sight of who looks at every commit: mostly one statement is all there is to it. Knows no table."""

from collections.abc import Callable

from sqlalchemy import Connection


class Sight:
    """One look at the database. conn: for its first statement."""

    def __init__(self, conn: Connection, begin_view: Callable[[Connection], None] | None) -> None:
        """begin_view: what it takes for several statements to see one moment; None: they do."""
        self.conn = conn
        self._begin_view = begin_view

    def view(self) -> Connection:
        """For whatever else is read: one moment, on PostgreSQL a later one than that of the first statement."""
        begin, self._begin_view = self._begin_view, None
        if begin is not None:
            begin(self.conn)
        return self.conn
