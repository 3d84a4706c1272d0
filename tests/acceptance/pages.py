"""The commands of a page of documentation, run in one shell against a real server."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITHIN_S = 120.0  # some commands import an agent framework


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
