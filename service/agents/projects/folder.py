"""A run's own copy of a project's folder: what the run writes there is its own, and is kept.

Projects read and write relative to where they run, so each mission has a place of its own.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from service.agents.context import MissionFailed, RunContext
from service.events.kinds import Kind

COPY_MAX_BYTES = 200 * 1024 * 1024  # it is copied for each attempt
FILE_MAX_BYTES = 20 * 1024 * 1024  # of a written file that is kept: it goes into the database
FILES_MAX = 200  # written files that are kept

# Never a part of what runs: environments, caches, histories.
LEFT_BEHIND = frozenset(
    {".venv", "venv", ".git", ".hg", "__pycache__", "node_modules", ".mypy_cache", ".pytest_cache"}
    | {".ruff_cache", ".tox", ".idea", ".vscode", ".langgraph_api"}
)

Stamp = tuple[int, int]  # when it was changed last, in ns, and its bytes


def copy_into(folder: Path, workplace: Path) -> None:
    """Copy a project to where it runs. Raises MissionFailed project_too_large."""
    size = 0
    for path in _files(folder):
        size += path.stat().st_size
        if size > COPY_MAX_BYTES:
            limit = COPY_MAX_BYTES // 1024 // 1024
            raise MissionFailed("project_too_large", f"The project has more than {limit} MiB.")
    shutil.copytree(
        folder,
        workplace,
        ignore=lambda _folder, names: [name for name in names if name in LEFT_BEHIND],
        ignore_dangling_symlinks=True,
        dirs_exist_ok=True,
    )


class Workplace:
    """The folder of one run: says what has been written since it was looked at last."""

    def __init__(self, folder: Path, context: RunContext) -> None:
        self._folder = folder
        self._context = context
        self._seen = dict(self._stamps())
        self._kept = 0

    def keep_written(self, *, agent: str | None = None, task: str | None = None) -> None:
        """Keep each file that is new or has changed, with its OUTPUT event."""
        for name, stamp in self._stamps():
            if self._seen.get(name) != stamp:
                self._seen[name] = stamp
                self._keep(name, agent, task)

    def _keep(self, name: str, agent: str | None, task: str | None) -> None:
        path = self._folder / name
        size = path.stat().st_size
        if size > FILE_MAX_BYTES or self._kept >= FILES_MAX:
            line = f"{name} ({size} bytes) is not kept: {FILES_MAX} files of {FILE_MAX_BYTES} bytes"
            data = {"line": line, "level": "warning", "logger": __name__}
            self._context.emit(Kind.LOG, "log", data, agent=agent, task=task)
            return
        self._kept += 1
        self._context.write_file(name, path.read_bytes(), agent=agent, task=task)

    def _stamps(self) -> Iterator[tuple[str, Stamp]]:
        for path in _files(self._folder):
            status = path.stat()
            yield str(path.relative_to(self._folder)), (status.st_mtime_ns, status.st_size)


def _files(folder: Path) -> Iterator[Path]:
    """The files below a folder that are its own, in order; links that lead out of it are not."""
    for path in sorted(folder.iterdir()):
        if path.name in LEFT_BEHIND or path.name.endswith(".pyc"):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            yield path
