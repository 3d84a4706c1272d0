"""What projects are made of: their files, and the setting that names them."""

from pathlib import Path


def named(projects: dict[str, str]) -> str:
    """As in LONGLINE_PROJECTS."""
    return ",".join(f"{name}={where}" for name, where in projects.items())


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
