"""Linux tells when a file is written to. Where it does not, there is None, and who asks has to look."""

import ctypes
import os
import struct
from pathlib import Path

IN_MODIFY, IN_IGNORED = 0x2, 0x8000
NOTE = struct.Struct("iIII")  # watch, mask, cookie, length of a name: a file's own notes have none
TAKE_BYTES = 256 * NOTE.size  # equal notes are one while nobody takes them


def watch(file: Path) -> int | None:
    """A file descriptor that is readable when a file was written to; None where nothing tells."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        number = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if number < 0:
            return None
        if libc.inotify_add_watch(number, os.fsencode(file), IN_MODIFY) < 0:
            os.close(number)
            return None
    except AttributeError:  # not Linux
        return None
    return number


def take(number: int) -> bool:
    """Take what there is to be told. Whether there will be more: not of a file that was deleted."""
    try:
        notes = os.read(number, TAKE_BYTES)
    except BlockingIOError:
        return True
    return not any(mask & IN_IGNORED for _, mask, _, _ in NOTE.iter_unpack(notes))
