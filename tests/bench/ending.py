"""SIGTERM while very many polls are held: how long until all are answered and the process has gone."""

import resource
import time
from pathlib import Path

from service.security import tokens
from tests.bench.table import Figure
from tests.edge.conftest import Site
from tests.edge.many import Many

HELD = 5_000
BOUNDS = {"LONGLINE_MAX_HELD": "6000", "LONGLINE_MAX_HELD_PER_TOKEN": "6000"}


def drain(folder: Path) -> list[Figure]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    return [*_ended(folder / "open", token=False), *_ended(folder / "token", token=True)]


def _ended(folder: Path, *, token: bool) -> list[Figure]:
    folder.mkdir()
    site = Site(folder, **BOUNDS)
    try:
        headers = {"Authorization": f"Bearer {_made(site)}"} if token else {}
        with Many(site.longline.port, "/events?after=0&wait=25", HELD, **headers) as many:
            many.hold(site.held)
            begin = time.monotonic()
            site.longline.stop("web")
            took_s = time.monotonic() - begin
            ends = many.reasons()
    finally:
        site.close()
    row = f"SIGTERM, {HELD:,} held" + (" with one token" if token else "")
    answered = ends["drain"] + ends["timeout"]  # the time of some may have been over in that moment
    return [
        Figure(row, "answered", answered, at_least=HELD),
        Figure(row, "process gone, s", took_s, at_most=3),
    ]


def _made(site: Site) -> str:
    with site.db.transaction() as conn:
        return tokens.create(conn, tokens.workspace_named(conn, "default"), ["read"])
