"""The commands of a page of documentation, run in one shell against a real server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITHIN_S = 60.0


def pages() -> list[Path]:
    """Every page that a user reads."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCKS.findall(page.read_text()) if kind == language]


def run(commands: list[str], folder: Path, *, path: str = "", **environment: str) -> str:
    """Run commands in one shell that stops at the first that fails. What they printed."""
    ours = str(Path(sys.executable).parent)
    tools = os.pathsep.join(filter(None, [path, ours, os.environ["PATH"]]))
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        cwd=folder,
        env=os.environ | environment | {"PATH": tools},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    ) as shell:
        try:
            printed, _ = shell.communicate(timeout=WITHIN_S)
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, 9)
    assert shell.returncode == 0, printed
    return printed


def need(program: str) -> None:
    """Have a program of Debian's. A continuous integration without it is broken; others may skip."""
    if shutil.which(program) is None and os.geteuid() == 0:
        for command in (["update"], ["install", "-y", program]):
            subprocess.run(["apt-get", "-qq", *command], capture_output=True, check=False)
    if shutil.which(program) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {program}")
