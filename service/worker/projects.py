"""Looks at the projects that LONGLINE_PROJECTS names, each in a fork, when a worker starts."""

import logging
from multiprocessing.context import ForkServerContext

from service.config import Settings
from service.db import Database
from service.missions import projects, target
from service.missions.projects import Found
from service.worker import entry, surroundings

LOOK_S = 60.0  # an import that takes longer has stuck

logger = logging.getLogger(__name__)


def look(db: Database, context: ForkServerContext, settings: Settings) -> None:
    """Offer what the environment names, and no more what it named before."""
    named = settings.named_projects
    with db.transaction() as conn:
        projects.keep_only(conn, named, source="environment")
    for name, text in named.items():
        try:
            where = target.absolute(text)
            found = _found(context, where, settings)
        except ValueError as fault:
            where, found = text, Found(error=str(fault))
        if found.error is not None:
            logger.warning("project %s: %s", name, found.error)
        with db.transaction() as conn:
            projects.register(conn, name, where, found, source="environment")


def _found(context: ForkServerContext, where: str, settings: Settings) -> Found:
    answer, answer_in = context.Pipe(duplex=False)
    folder = target.parse(where).folder
    around = surroundings.of_project(settings, folder, settings.data / "crewai")
    arguments = (where, around.environment, answer_in)
    process = context.Process(target=entry.describe, args=arguments, daemon=True)
    process.start()
    answer_in.close()
    try:
        return Found(**answer.recv()) if answer.poll(LOOK_S) else Found(error="it cannot be loaded")
    except EOFError:
        return Found(error="its import ended the process")
    finally:
        process.kill()
        process.join()
        answer.close()
