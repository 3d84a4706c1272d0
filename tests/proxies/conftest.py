"""Two web processes of one database, and every path to them: direct, each proxy, and a proxy that misbehaves."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from service.config import Settings
from service.db import Database
from tests.chaos import ChaosProxy
from tests.client.writer import Writer
from tests.processes import NO_TLS, Longline
from tests.proxies.caller import Caller
from tests.proxies.paths import FURTHER, USUAL, proxies

# What each request meets in turn, over and over: more good than bad, as on a bad day.
CHAOS = (
    "pass", "cut_at_200", "pass", "delay", "page_502", "pass", "replay", "close", "pass",
    "cut_at_0", "pass", "drop", "pass", "close", "page_200", "pass", "cut_without_length", "pass",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """The servers, the log that the tests write, and where each path begins."""

    first: Longline
    second: Longline
    writer: Writer
    urls: dict[str, str]
    chaos: ChaosProxy

    def caller(self, path: str) -> Caller:
        """A client at the beginning of a path. Only chaos may make it try again."""
        return Caller(self.urls[path], may_fail=path == "chaos")


@pytest.fixture(scope="session")
def _site(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Site]:
    every = request.config.getoption("every_proxy")
    folder = tmp_path_factory.mktemp("first")
    given = {"LONGLINE_SQLITE_SYNCHRONOUS": "NORMAL", "LONGLINE_ALLOWED_HOSTS": "longline"}
    first = Longline(folder, **given)
    data = {"LONGLINE_DATA": str(folder / "data")}
    second = Longline(tmp_path_factory.mktemp("second"), **given, **data)
    with ExitStack() as stack:
        for server in (first, second):
            stack.callback(end, server)
        with ThreadPoolExecutor() as pool:
            list(pool.map(Longline.start, (first, second), ("web", "web")))
        chaos = stack.enter_context(ChaosProxy(first.url, CHAOS))
        names = USUAL + (FURTHER if every else ())
        urls = stack.enter_context(proxies(names, [first.url, second.url]))
        db = Database(Settings(data=Path(folder / "data"), database_url=None))
        stack.callback(db.close)
        urls = {"direct": first.url, **urls, "chaos": chaos.url}
        yield Site(first, second, Writer(db), urls, chaos)


def end(server: Longline) -> None:
    """At once: a proxy's idle connections would hold up a decent end for seconds."""
    server.client.close()
    if "web" in server.processes:
        server.kill("web")


@pytest.fixture
def site(_site: Site) -> Site:
    """Shared: two servers and six proxies take seconds to start. A test that ends one tells nobody."""
    for server in (_site.first, _site.second):
        if "web" not in server.processes:
            server.start("web")
    return _site


def held(url: str) -> int:
    """How many polls a server holds, by its own count."""
    for line in httpx.get(f"{url}/metrics", trust_env=False, verify=NO_TLS).text.splitlines():
        if line.startswith("longline_held_polls"):
            return int(float(line.rpartition(" ")[2]))
    return 0
