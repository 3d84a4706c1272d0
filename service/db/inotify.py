"""Linux tells when a file is written to. Where it does not, there is None, and who asks has to look."""

import ctypes
import os
from pathlib import Path

IN_MODIFY = 0x2
TAKE_BYTES = 64 * 1024  # many notes at once; a file's are merged while nobody takes them


def watch(folder: Path) -> int | None:
    """A file descriptor that is readable when a file in a folder was written to.

    The folder and not the file: that one may be gone for a moment, or not be there yet.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        number = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if number < 0:
            return None
        if libc.inotify_add_watch(number, os.fsencode(folder), IN_MODIFY) < 0:
            os.close(number)
            return None
    except AttributeError:  # not Linux
        return None
    return number


def take(number: int, name: str) -> bool:
    """Take what there is to be told. Whether the file of this name was written to."""
    try:
        notes = os.read(number, TAKE_BYTES)
    except BlockingIOError:
        return False
    return os.fsencode(name) in notes
