"""A small disk of its own that can be filled up: a tmpfs, where we may mount one."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Self

SIZE_MB = 256
CHUNK = b"\0" * 1024**2


class Disk:
    """path: a folder on it. It has an end only where this process may mount (root on Linux)."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="longline-disk-"))
        self.path.chmod(0o755)  # a server may run as somebody else
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=755", "tmpfs", self.path]
        self.has_an_end = (
            os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.has_an_end:
            subprocess.run(["umount", "--lazy", self.path], check=True)
        self.path.rmdir()

    def fill(self) -> None:
        """Leave not a byte."""
        with (self.path / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(CHUNK):
                    pass
            except OSError:
                return  # it is full

    def clear(self) -> None:
        (self.path / "filler").unlink()
