"""The databases that every suite of this folder runs on."""

import shutil
from pathlib import Path

from service import schema
from service.config import Settings
from service.db import Database


class Sqlite:
    """Files. One is migrated and then copied, for migrating takes longer than most tests."""

    def __init__(self, folder: Path) -> None:
        self._migrated = folder / "longline.db"
        db = Database(self.settings(folder))
        schema.upgrade(db)
        db.close()

    def settings(self, folder: Path) -> Settings:
        """Settings of a database that is empty until `migrate`."""
        url = f"sqlite:///{folder / 'longline.db'}"
        # NORMAL: tests kill processes, not machines
        return Settings(data=folder, database_url=url, sqlite_synchronous="NORMAL")

    def migrate(self, settings: Settings) -> None:
        shutil.copy(self._migrated, settings.data / "longline.db")


# One entry more, and all suites run on that database too.
DATABASES = {"sqlite": Sqlite}
