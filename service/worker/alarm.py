"""An alarm: another thread, or a signal, ends the supervisor's wait. Nothing is said by it but that."""

import os
from contextlib import suppress


class Alarm:
    """A pipe to be waited for beside the children's."""

    def __init__(self) -> None:
        self._ear, self._bell = os.pipe()
        for end in (self._ear, self._bell):
            os.set_blocking(end, False)

    def fileno(self) -> int:
        return self._ear

    def ring(self) -> None:
        """End the wait. From any thread; a full pipe has rung already."""
        with suppress(BlockingIOError):
            os.write(self._bell, b"!")

    def clear(self) -> None:
        """Forget what was rung so far; what it was about is looked at next."""
        with suppress(BlockingIOError):
            os.read(self._ear, 65_536)
