"""The store of a project's memory: opened when it is first used.

Every Flow has a memory, and few use it; its store alone takes longer to import than most flows to run.
"""

import threading
from collections.abc import Callable
from typing import Any

from crewai.memory.storage.backend import StorageBackend
from crewai.memory.storage.factory import set_memory_storage_factory

QDRANT = "qdrant-edge"  # not crewai's default; it loads by itself


def open_late() -> None:
    """From now on no memory of this process opens its store before it needs it."""
    set_memory_storage_factory(_late)


def _late(where: str) -> Any:
    """where: as a Memory has it, the name of a store or a folder. None: crewai opens it itself."""
    return None if where == QDRANT else _Late(lambda: _opened(where))


def _opened(where: str) -> StorageBackend:
    from crewai.memory.storage.lancedb_storage import LanceDBStorage  # what is put off

    return LanceDBStorage() if where == "lancedb" else LanceDBStorage(path=where)


class _Late:
    """A store in all it does, once it is asked for anything."""

    def __init__(self, opened: Callable[[], StorageBackend]) -> None:
        self._opened = opened
        self._store: StorageBackend | None = None
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._store is None:
                self._store = self._opened()
        return getattr(self._store, name)

    def close(self) -> None:
        if self._store is not None and hasattr(self._store, "close"):
            self._store.close()
