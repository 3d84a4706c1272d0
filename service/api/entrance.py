"""What has to be done before anybody may come in, and could not be when the process began."""

from service.config import Settings
from service.db import Database
from service.security import tokens


class Entrance:
    """The operator's token has to be in the database; `longline web` puts it there if that answers."""

    def __init__(self, settings: Settings, db: Database, *, late: bool) -> None:
        """late: the database did not answer then."""
        chosen = settings.admin_token
        self._text = None if chosen is None else chosen.get_secret_value()
        self._db = db
        self._late = late

    def open(self) -> None:
        """Do what is left to do. Raises what a database raises that is still away."""
        if self._late:
            with self._db.transaction() as conn:
                tokens.keep_environment_token(conn, self._text)
            self._late = False
