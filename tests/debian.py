"""Programs of Debian's that a test needs: installed when root, else the test is skipped and says why."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

POLICY = Path("/usr/sbin/policy-rc.d")  # what it forbids is not started by being installed


def need(**packages: str) -> None:
    """Have programs, each with the package it comes in.

    A continuous integration that cannot have them is broken; others may skip.
    """
    if not have(**packages):
        missing = ", ".join(_missing(packages))
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {missing}")


def have(**packages: str) -> bool:
    """Whether programs are there, once it was tried to install those that are not."""
    if os.geteuid() == 0 and _missing(packages):
        with _alone():
            missing = _missing(packages)  # as another process has left it
            if missing:
                _apt_get("update")
                _apt_get("install", "-y", *missing)
    return not _missing(packages)


def where(name: str) -> str | None:
    """A program's path. Servers are in a folder that not everybody's PATH has."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _missing(packages: dict[str, str]) -> list[str]:
    return sorted({package for name, package in packages.items() if not where(name)})


@contextmanager
def _alone() -> Iterator[None]:
    """Tests run in several processes, and apt-get does not wait for another."""
    with (Path(tempfile.gettempdir()) / "longline-tests-apt.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _apt_get(*command: str) -> None:
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(
            ["apt-get", "-qq", *command], env=environment, capture_output=True, check=False
        )
    finally:
        if ours:
            POLICY.unlink()
