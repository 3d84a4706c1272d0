"""What the Dockerfile does, done in a clean folder: only what it copies, installed, started, healthy, ended.

An image itself is not built: that needs a registry for its base.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.processes import NOT_OURS, free_port, until

pytestmark = [pytest.mark.processes, pytest.mark.waits]

ROOT = Path(__file__).resolve().parents[2]
IMAGE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^ *{name} +(.*)$", IMAGE, re.MULTILINE)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """What pip installs of the files that are copied; dependencies are those of the tests."""
    app, site = tmp_path / "app", tmp_path / "site"
    app.mkdir()
    for line in instructions("COPY"):
        *sources, target = line.split()
        for source in sources:
            if (ROOT / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, app / target, ignore=ignored)
            else:
                shutil.copy(ROOT / source, app)
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        site,
        ".",
    ]
    assert any("'.[worker]'" in line for line in instructions("RUN"))
    subprocess.run(install, cwd=app, check=True, capture_output=True)
    shutil.rmtree(app)  # what runs must not lean on it
    return site


def test_what_the_image_installs_serves_is_healthy_and_ends(site: Path, tmp_path: Path) -> None:
    port = free_port()
    given = dict(pair.split("=") for line in instructions("ENV") for pair in line.split())
    inherited = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
    own = {"LONGLINE_DATA": str(tmp_path / "data"), "LONGLINE_HOST": "127.0.0.1",
           "LONGLINE_PORT": str(port), "PYTHONPATH": str(site),
           "HOME": "/proc/nowhere",  # what a container with a user's number may find
           "LONGLINE_MODEL": "openai/scripted-1", "OPENAI_API_KEY": "not-a-key-at-all"}  # fmt: skip
    assert set(given) <= set(own)  # all that the image sets has a place here
    health, command = map(json.loads, re.findall(r"\bCMD (\[.*\])", IMAGE))
    check = [sys.executable, *(word.replace(":8000/", f":{port}/") for word in health[1:])]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", *command[1:]],
            cwd=tmp_path, env=inherited | own, stdout=log, stderr=log, process_group=0,
        )  # fmt: skip
    try:
        until(lambda: listens(port), within_s=120, what="service that listens")
        until(lambda: is_well(check), within_s=120, what="healthy service")
        until(lambda: b"at once" in (tmp_path / "log").read_bytes(), within_s=120, what="worker")
    finally:
        process.terminate()  # as `docker stop` does
        assert process.wait(40) == 0
    assert b"Traceback" not in (tmp_path / "log").read_bytes()
    assert (tmp_path / "data" / "longline.db").exists()


def listens(port: int) -> bool:
    """Asked first, for each look at its health is a Python of its own."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def is_well(check: list[str]) -> bool:
    return subprocess.run(check, capture_output=True, check=False).returncode == 0
