"""/metrics tells what happens, over all web processes; the log says of each line which request it was."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.metrics import CONTENT_TYPE
from service.tracing.spans import spans_of
from tests.client.conftest import written
from tests.client.writer import Writer
from tests.contract import given as the
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import Longline, until

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
NEEDED = (
    "longline_held_polls", "longline_hold_seconds", "longline_wakeups", "longline_events_appended",
    "longline_append_seconds", "longline_delivery_seconds", "longline_missions",
    "longline_queue_age_seconds", "longline_leases_lost", "longline_model_calls",
    "longline_tokens", "longline_cost_usd", "longline_requests_open",
)  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Longline]:
    """A web of two processes, started once. The first test counts what is in its log."""
    folder = tmp_path_factory.mktemp("two")
    longline = Longline(folder, WEB_CONCURRENCY="2", LONGLINE_SQLITE_SYNCHRONOUS="NORMAL")
    longline.start("web")
    yield longline
    longline.client.close()
    longline.stop("web")


@pytest.fixture
def two_writer(two: Longline) -> Iterator[Writer]:
    with written(two) as writer:
        yield writer


def numbers(url: str) -> dict[str, float]:
    response = httpx.get(f"{url}/metrics")
    assert response.headers["Content-Type"] == CONTENT_TYPE, response.text
    lines = [line for line in response.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_what_happened_is_counted_over_all_processes(two: Longline, two_writer: Writer) -> None:
    claim = two_writer.begin()
    the.record(two_writer.db, claim, the.usage(10, 5, 0.25), the.usage(1, 1))
    two_writer.ask(claim)
    the.make_mission(two_writer.db)
    for _ in range(8):  # each on a connection of its own, so that both processes get some
        httpx.get(f"{two.url}/events", params={"after": 0, "wait": 1})
    # What a process has counted the others say about a second later.
    until(lambda: numbers(two.url)["longline_hold_seconds_count"] == 8, what="polls of both")
    found = numbers(two.url)
    assert found['longline_missions{status="waiting"}'] == 1
    assert found['longline_missions{status="queued"}'] == 1
    assert found["longline_requests_open"] == 1
    assert found['longline_tokens_total{type="prompt"}'] == 11
    assert found["longline_model_calls_total"] == 2
    assert found["longline_cost_usd_total"] == 0.25
    assert found["longline_events_appended_total"] == 7
    assert found['longline_polls_total{reason="events"}'] == 8
    assert found["longline_queue_age_seconds"] >= 0


def test_a_delivery_is_counted_with_how_late_it_was(two: Longline, two_writer: Writer) -> None:
    def count(name: str) -> float:
        return numbers(two.url).get(f"longline_{name}_seconds_count", 0.0)

    claim = two_writer.begin()
    with ThreadPoolExecutor(1) as pool:
        mission = f"{two.url}/missions/{claim.mission_id}/events"
        head = httpx.get(mission, params={"wait": 0}).json()["head"]
        held = pool.submit(httpx.get, mission, params={"after": head, "wait": 20}, timeout=30)
        until(lambda: numbers(two.url)["longline_held_polls"] == 1, what="held poll")
        two_writer.complete(claim)
        assert held.result().json()["closed"]
    until(lambda: count("delivery") == 1, what="delivery that is counted")
    found = numbers(two.url)
    assert found["longline_delivery_seconds_sum"] < 10
    assert found['longline_wakeups_total{found="something"}'] >= 1


def test_appends_of_workers_are_timed(longline: Longline, model_server: ModelServer) -> None:
    model_server.rules = [Rule(Reply("Heat pumps move heat."))]
    made = longline.client.missions.create(the.SPEC)
    longline.wait_for_status(made["id"], "completed")

    def stored() -> float:
        found = numbers(longline.url).items()
        return sum(n for name, n in found if name.startswith("longline_append_seconds_count"))

    until(lambda: stored() > 2, what="appends of the worker")
    assert numbers(longline.url)["longline_workers"] == 1


def test_log_lines_name_request_mission_and_attempt(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("Heat pumps move heat."))]
    named = {"X-Request-Id": "who-made-it"}
    made = httpx.post(f"{longline.url}/missions", json=the.SPEC, headers=named).json()["id"]
    longline.wait_for_status(made, "completed")
    until(lambda: len(lines(longline, "worker", made)) == 2, what="line of its end")
    begins, ends = lines(longline, "worker", made)
    assert (begins["attempt"], ends["attempt"]) == (1, 1)
    assert (begins["event"], ends["event"]) == (
        f"mission {made}: begins",
        f"mission {made}: ends: completed",
    )
    [created] = lines(longline, "web", made)
    assert (created["request"], created["event"]) == ("who-made-it", "POST: 201")
    assert created["path"] == "/missions"


def test_a_real_run_is_a_whole_trace(longline: Longline, model_server: ModelServer) -> None:
    model_server.rules = [Rule(Reply("Heat pumps move heat."))]
    made = longline.client.create(the.SPEC)["id"]
    longline.wait_for_status(made, "completed")
    spans = spans_of(longline.events(made))
    names = {span.id: span.name for span in spans}
    inside = [(span.name, names.get(span.parent)) for span in spans]
    one_task = [("task", "mission"), ("agent", "task"), ("llm", "agent")]
    assert inside == [("mission", None), *one_task, *one_task]
    assert [span.error for span in spans] == [None] * 7
    assert all(span.end_ms is not None for span in spans)
    assert all("gen_ai.usage.input_tokens" in s.attributes for s in spans if s.name == "llm")


def lines(longline: Longline, process: str, mission: int) -> list[dict[str, Any]]:
    """What a process's log says of a mission. What the interpreter itself prints is no JSON."""
    said = longline.log(process).splitlines(keepends=True)
    whole = [line for line in said if line.startswith(b"{") and line.endswith(b"\n")]
    found = [json.loads(line) for line in whole]
    return [line for line in found if line.get("mission") == mission]


def test_all_that_an_operator_needs_is_on_the_dashboard() -> None:
    shown = asked_by_the_dashboard()
    for name in NEEDED:
        assert any(one.startswith(name) for one in shown), name


def test_the_dashboard_asks_for_nothing_that_is_not_there(two: Longline) -> None:
    httpx.get(f"{two.url}/events", params={"after": 0, "wait": 0})
    text = httpx.get(f"{two.url}/metrics").text
    families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    ends = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}
    known = {name + end for name, kind in families.items() for end in ends[kind]}
    assert asked_by_the_dashboard() <= known


def asked_by_the_dashboard() -> set[str]:
    dashboard = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text())
    return {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"longline_\w+", target["expr"])
    }


def test_a_request_is_named_in_its_answer(two: Longline) -> None:
    named = httpx.get(f"{two.url}/healthz", headers={"X-Request-Id": "abc-1"})
    assert named.headers["X-Request-Id"] == "abc-1"
    forged = httpx.get(f"{two.url}/healthz", headers={"X-Request-Id": "a b"})
    assert re.fullmatch("[0-9a-f]{16}", forged.headers["X-Request-Id"])


def test_a_process_that_has_gone_holds_nothing(two: Longline) -> None:
    until(lambda: numbers(two.url)["longline_held_polls"] == 0, what="no held polls")
