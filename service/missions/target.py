"""What an operator registers as a project: a folder, or an object in a file or a module. Imports none of it."""

from dataclasses import dataclass
from pathlib import Path

# What marks the folder that a file's project begins at.
MARKS = ("pyproject.toml", "langgraph.json", "crew.jsonc", "crew.json", ".env", ".git")


@dataclass(frozen=True, slots=True)
class Target:
    """folder: where the project is; None for a module of the worker's own environment.

    file: within the folder. module, attribute: as in `import module; module.attribute`; with a
    folder and neither file nor module, what to run is for the folder's own configuration to say.
    """

    folder: Path | None
    file: Path | None = None
    module: str | None = None
    attribute: str | None = None


def parse(text: str) -> Target:
    """FOLDER, FILE.py:OBJECT or MODULE:OBJECT. Raises ValueError with what is wrong, fit to be shown."""
    place, colon, attribute = text.strip().rpartition(":")
    if not colon:
        return _folder(Path(attribute))
    if not attribute.isidentifier():
        raise ValueError(f"{attribute!r} is no name of an object")
    if place.endswith(".py"):
        return _file(Path(place), attribute)
    if all(part.isidentifier() for part in place.split(".")):
        return Target(None, module=place, attribute=attribute)
    raise ValueError(f"{text!r} is no folder, no FILE.py:OBJECT and no MODULE:OBJECT")


def absolute(text: str) -> str:
    """The same target, with its path as it is seen from here. Raises ValueError."""
    target = parse(text)
    if target.folder is None:
        return text.strip()
    if target.file is None:
        return str(target.folder)
    return f"{target.folder / target.file}:{target.attribute}"


def _folder(path: Path) -> Target:
    path = path.expanduser().absolute()
    if not path.is_dir():
        raise ValueError(f"{path} is no folder")
    return Target(path)


def _file(path: Path, attribute: str) -> Target:
    path = path.expanduser().absolute()
    if not path.is_file():
        raise ValueError(f"{path} is no file")
    folder = next(
        (parent for parent in path.parents if any((parent / mark).exists() for mark in MARKS)),
        path.parent,
    )
    if folder in (Path.home(), Path("/")):  # a .env or a .git there marks no project
        folder = path.parent
    return Target(folder, file=path.relative_to(folder), attribute=attribute)
