"""Looks at the projects that LONGLINE_PROJECTS names, each in a fork, beside the missions of a worker."""

import logging
import time
from collections import deque
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

from service.config import Settings
from service.db import Database
from service.missions import projects, target
from service.missions.projects import Found
from service.worker import entry, forks, surroundings

LOOK_S = 60.0  # an import that takes longer has stuck
AT_ONCE = 4  # each needs a core while it imports, and memory as a mission does

logger = logging.getLogger(__name__)


class Looks:
    """All the looks that a worker takes. Never waits: an import that hangs holds up no mission.

    Made and used by the supervisor's thread alone, as all of its processes are.
    """

    def __init__(self, context: ForkServerContext, settings: Settings) -> None:
        self._context = context
        self._settings = settings
        self._ahead = deque(settings.named_projects.items())
        self._under_way: list[_Look] = []
        self._unwritten: deque[tuple[str, str, Found]] = deque()

    def forget_others(self, db: Database) -> None:
        """Offer no more what the environment named before and does not name now."""
        with db.transaction() as conn:
            projects.keep_only(conn, list(self._settings.named_projects), source="environment")

    def waitables(self) -> Iterator[Connection]:
        """What becomes ready when a look is over."""
        return (look.answer for look in self._under_way)

    def go_on(self, db: Database) -> None:
        """Offer what has been found by now, and look at what comes next."""
        for look in [look for look in self._under_way if look.over]:
            self._under_way.remove(look)
            self._unwritten.append((look.name, look.where, look.end()))
        while self._ahead and len(self._under_way) < AT_ONCE:
            self._begin(*self._ahead.popleft())
        while self._unwritten:
            with db.transaction() as conn:
                projects.register(conn, *self._unwritten[0], source="environment")
            _log(*self._unwritten.popleft())

    def end(self) -> None:
        """Look at nothing any more."""
        self._ahead.clear()
        while self._under_way:
            self._under_way.pop().end()

    def _begin(self, name: str, text: str) -> None:
        try:
            where = target.absolute(text)
        except ValueError as fault:
            self._unwritten.append((name, text, Found(error=str(fault))))
        else:
            self._under_way.append(_Look(self._context, self._settings, name, where))


class _Look:
    """A process that loads a project to see what it is. answer: where it says so, or ends."""

    def __init__(
        self, context: ForkServerContext, settings: Settings, name: str, where: str
    ) -> None:
        self.name, self.where = name, where
        self._give_up_at = time.monotonic() + LOOK_S
        self.answer, answer_in = context.Pipe(duplex=False)
        folder = target.parse(where).folder
        around = surroundings.of_project(settings, folder, settings.data / "crewai")
        arguments = (where, around.environment, answer_in)
        self._process = context.Process(target=entry.describe, args=arguments, daemon=True)
        forks.start(self._process)
        answer_in.close()

    @property
    def over(self) -> bool:
        return self.answer.poll() or time.monotonic() >= self._give_up_at

    def end(self) -> Found:
        """What it has found. What is wrong with the project is in `error`."""
        try:
            if not self.answer.poll():
                return Found(error=f"its import had not ended after {LOOK_S:g} s")
            return Found(**self.answer.recv())
        except EOFError:
            return Found(error="its import ended the process")
        finally:
            self._process.kill()
            self._process.join()
            self.answer.close()


def _log(name: str, _where: str, found: Found) -> None:
    if found.error is not None:
        logger.warning("project %s: %s", name, found.error)
    else:
        logger.info("project %s: a %s for %s", name, found.kind, found.engine)
