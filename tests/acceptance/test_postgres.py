"""Web and worker on PostgreSQL: connections, a pooler in between, two requests at once."""

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from service import schema
from service.config import Settings
from service.db import Database
from tests.contract import given as the
from tests.faults.stage import PATIENCE, Node
from tests.folding import differences, faults
from tests.missions import mission, task
from tests.pgbouncer import PgBouncer
from tests.postgres import PostgresServer
from tests.processes import NO_TLS, until

pytestmark = [pytest.mark.processes, pytest.mark.waits]

NAME = "longline"
HELD = 200
POOL = 5  # LONGLINE_DB_POOL


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        running.execute(f"CREATE DATABASE {NAME}")
        folder = tmp_path_factory.mktemp("schema")
        with closing(Database(Settings(data=folder, database_url=running.url(NAME)))) as db:
            schema.upgrade(db)
        yield running


@pytest.fixture
def db(postgres: PostgresServer, tmp_path: Path) -> Iterator[Database]:
    with closing(Database(Settings(data=tmp_path, database_url=postgres.url(NAME)))) as opened:
        yield opened


@pytest.fixture(scope="module")
def web(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A web process alone, on a URL as platforms give it."""
    url = postgres.url(NAME, scheme="postgres")
    node = Node(tmp_path_factory.mktemp("web") / "node", **PATIENCE, DATABASE_URL=url)
    node.start("web")
    yield node
    node.__exit__()


def connections(postgres: PostgresServer) -> int:
    [(count,)] = postgres.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", NAME)
    return int(count)


def test_however_many_polls_are_held_the_connections_are_few(
    web: Node, postgres: PostgresServer
) -> None:
    head = httpx.get(f"{web.url}/events?after=now&wait=0").json()["head"]
    holding = [http.client.HTTPConnection("127.0.0.1", web.port) for _ in range(HELD)]
    for n, connection in enumerate(holding):
        kinds = ("", "&kind=STATUS", "&kind=-STREAM")[n % 3]
        connection.request("GET", f"/events?after={head}&wait=20{kinds}")
    until(
        lambda: httpx.get(f"{web.url}/readyz", verify=NO_TLS).json()["held"] == HELD,
        what="held polls",
    )
    assert connections(postgres) <= POOL
    with ThreadPoolExecutor(20) as pool, httpx.Client() as client:
        list(pool.map(lambda _: client.get(f"{web.url}/missions").raise_for_status(), range(100)))
        assert connections(postgres) <= POOL
        client.post(f"{web.url}/missions", json=mission()).raise_for_status()
    pages = [connection.getresponse().read() for connection in holding]
    assert all(b'"mission.queued"' in page for page in pages)
    assert connections(postgres) <= POOL
    for connection in holding:
        connection.close()


def test_simultaneous_posts_with_one_key_make_one_mission(web: Node) -> None:
    with ThreadPoolExecutor(12) as pool, httpx.Client() as client:

        def post(_: int) -> httpx.Response:
            headers = {"Idempotency-Key": "at once"}
            return client.post(f"{web.url}/missions", json=mission(title="k"), headers=headers)

        answers = list(pool.map(post, range(12)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    replayed = [answer for answer in answers if "Idempotency-Replayed" in answer.headers]
    assert len(replayed) == 11


def test_behind_a_pooler_in_transaction_mode_missions_run_and_are_followed(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """What needs a session goes around it, by LONGLINE_DIRECT_URL."""
    with PgBouncer(tmp_path, postgres) as pooler:
        urls = {"DATABASE_URL": pooler.url(NAME), "LONGLINE_DIRECT_URL": postgres.url(NAME)}
        with Node(tmp_path / "node", **PATIENCE, **urls) as node:
            made = node.client.create(mission(task("first"), task("second")))
            done = node.wait_for_status(made["id"], "completed")
            events = node.events(made["id"])
    assert faults(events) == []
    assert differences(events, done) == {}


def test_without_a_way_around_the_pooler_events_come_all_the_same(
    postgres: PostgresServer, tmp_path: Path, db: Database
) -> None:
    """LISTEN is lost there, and looking takes its place."""
    with PgBouncer(tmp_path, postgres) as pooler:
        node = Node(tmp_path / "node", **PATIENCE, DATABASE_URL=pooler.url(NAME))
        node.start("web")
        try:
            head = httpx.get(f"{node.url}/events?after=now&wait=0").json()["head"]
            with ThreadPoolExecutor(1) as pool:
                url = f"{node.url}/events?after={head}&wait=20"
                held = pool.submit(httpx.get, url, timeout=30)
                until(
                    lambda: httpx.get(f"{node.url}/readyz", verify=NO_TLS).json()["held"] == 1,
                    what="poll",
                )
                mission_id = the.make_mission(db)
                page = held.result(10).json()
        finally:
            node.__exit__()
    assert [event["mission"] for event in page["events"]] == [mission_id]
