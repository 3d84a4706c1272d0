"""Looks at the projects that LONGLINE_PROJECTS names, each in a fork, when a worker starts."""

import logging
import time
from multiprocessing.context import ForkServerContext

from service.config import Settings
from service.db import Database
from service.missions import projects, target
from service.missions.projects import Found
from service.worker import entry, surroundings

LOOK_S = 60.0  # an import that takes longer has stuck
AT_ONCE = 4  # each needs a core while it imports, and memory as a mission does

logger = logging.getLogger(__name__)


def look(db: Database, context: ForkServerContext, settings: Settings) -> None:
    """Offer what the environment names, and no more what it named before."""
    named = list(settings.named_projects.items())
    with db.transaction() as conn:
        projects.keep_only(conn, [name for name, _ in named], source="environment")
    for begin in range(0, len(named), AT_ONCE):
        looks = [_Look(context, settings, *entry) for entry in named[begin : begin + AT_ONCE]]
        for one in looks:
            found = one.found()
            if found.error is not None:
                logger.warning("project %s: %s", one.name, found.error)
            with db.transaction() as conn:
                projects.register(conn, one.name, one.where, found, source="environment")


class _Look:
    """A process that loads a project to see what it is."""

    def __init__(
        self, context: ForkServerContext, settings: Settings, name: str, text: str
    ) -> None:
        self.name, self.where = name, text
        self._fault: str | None = None
        try:
            self.where = target.absolute(text)
        except ValueError as fault:
            self._fault = str(fault)
            return
        self._give_up_at = time.monotonic() + LOOK_S
        self._answer, answer_in = context.Pipe(duplex=False)
        folder = target.parse(self.where).folder
        around = surroundings.of_project(settings, folder, settings.data / "crewai")
        arguments = (self.where, around.environment, answer_in)
        self._process = context.Process(target=entry.describe, args=arguments, daemon=True)
        self._process.start()
        answer_in.close()

    def found(self) -> Found:
        """Waits for it. What is wrong with the project is in `error`."""
        if self._fault is not None:
            return Found(error=self._fault)
        try:
            return self._received()
        except EOFError:
            return Found(error="its import ended the process")
        finally:
            self._process.kill()
            self._process.join()
            self._answer.close()

    def _received(self) -> Found:
        left_s = max(self._give_up_at - time.monotonic(), 0.0)
        if not self._answer.poll(left_s):
            return Found(error="it cannot be loaded")
        return Found(**self._answer.recv())
