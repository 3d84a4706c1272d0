"""Two web processes: one whose held polls leave their greenlets, and one on gunicorn's own worker."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.config import Settings
from service.db import Database
from tests.contract import given as the
from tests.edge.wire import Got, Wire
from tests.processes import Longline, until

STOCK = {"GUNICORN_CMD_ARGS": "--worker-class gevent"}


class Site:
    """A web process, its database, and missions on it."""

    def __init__(self, folder: Path, *, edge: str = "edge", **environment: str) -> None:
        self.edge = edge
        if edge == "stock":
            environment |= STOCK
        self.longline = Longline(folder, LONGLINE_SQLITE_SYNCHRONOUS="NORMAL", **environment)
        self.longline.start("web")
        self.db = Database(Settings(data=folder / "data", sqlite_synchronous="NORMAL"))

    def close(self) -> None:
        self.db.close()
        if "web" in self.longline.processes:
            self.longline.stop("web")
        self.longline.client.close()

    def wire(self, **headers: str) -> Wire:
        return Wire(self.longline.port, **headers)

    def held(self) -> int:
        with self.wire() as wire:
            return int(wire.get("/readyz").json["held"])

    def hold(self, wire: Wire, path: str) -> None:
        """Have a poll held. It is when this returns."""
        before = self.held()
        wire.send(path)
        until(lambda: self.held() > before, what="held poll")

    def leaves(self, wire: Wire, path: str, then: Callable[[], Any]) -> Got:
        """The answer to a poll that is held until something happens."""
        self.hold(wire, path)
        then()
        return wire.answer()


@pytest.fixture(scope="module", params=["edge", "stock"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp(request.param), edge=request.param)
    yield made
    made.close()


@pytest.fixture
def head(site: Site) -> int:
    """Where the log stands when a test begins."""
    with site.wire() as wire:
        return int(wire.get("/events?after=now&wait=0").json["head"])


@pytest.fixture
def claimed(site: Site) -> Any:
    return the.running(site.db)
