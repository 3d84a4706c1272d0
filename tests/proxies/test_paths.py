"""What clients rely on holds behind each proxy as it does without one: one suite, through every path at once."""

import itertools
import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from service.client import Client
from tests.contract.given import SPEC
from tests.folding import faults
from tests.processes import until
from tests.proxies.caller import Caller
from tests.proxies.conftest import Site, held

pytestmark = pytest.mark.processes

HOLD_S = 4.0
SLACK_S = 3.5  # a busy machine; and what the chaotic one adds before it lets a request through
TURNS = 3  # of a faulty answer to one hold
HELD = 20
LAST = 3  # events at a mission's end; there are two at its beginning


def everywhere(site: Site, check: Callable[[str, Caller], Any], *, but: str = "") -> dict[str, Any]:
    """What a check gives through each path, all at the same time. One that fails says where."""

    def run(path: str) -> Any:
        try:
            with site.caller(path) as caller:
                return check(path, caller)
        except Exception as error:
            error.add_note(f"through {path}")
            raise

    paths = [path for path in site.urls if path != but]
    with ThreadPoolExecutor(len(paths)) as pool:
        return dict(zip(paths, pool.map(run, paths), strict=True))


def head_of(site: Site) -> int:
    return int(site.first.client.get("/events", after="now", wait=0)["next"])


def test_a_poll_is_held_for_its_time_and_answered_by_the_server_itself(site: Site) -> None:
    head = head_of(site)

    def check(path: str, caller: Caller) -> None:
        begin = time.monotonic()
        page = caller.poll(head, wait=HOLD_S)
        took_s = time.monotonic() - begin
        assert (page["events"], page["reason"], page["next"]) == ([], "timeout", head)
        # Equal URLs wait for each other behind some caches; a client's own name is there for that.
        most = HOLD_S * (TURNS if path == "chaos" else 1) + SLACK_S
        assert HOLD_S * 0.85 <= took_s <= most, took_s

    everywhere(site, check)


def test_a_burst_reaches_everybody_once_and_in_order_on_kept_connections(site: Site) -> None:
    begin, claim = head_of(site), site.writer.begin()
    writing = threading.Thread(target=lambda: _burst(site, claim))
    expected = 2 + 40 * 3 + 200 + 40 + LAST

    def check(path: str, caller: Caller) -> list[int]:
        events = caller.follow(begin, begin + expected, client=path)
        assert faults(events) == []
        return [event["seq"] for event in events]

    writing.start()
    seen = everywhere(site, check)
    writing.join()
    assert all(seqs == list(range(begin + 1, begin + expected + 1)) for seqs in seen.values())


def _burst(site: Site, claim: Any) -> None:
    """Some alone, many in one transaction, and some in a hurry."""
    for _ in range(40):
        site.writer.say(claim, 3)
    site.writer.say_at_once(claim, 200)
    site.writer.say(claim, 40)
    site.writer.complete(claim)


def test_the_client_that_we_ship_follows_a_mission_to_its_end(site: Site) -> None:
    claim = site.writer.begin()
    threading.Thread(target=lambda: _burst(site, claim)).start()

    def check(path: str, _caller: Caller) -> list[Any]:
        with Client(site.urls[path]) as client:
            return list(client.follow(claim.mission_id))

    seen = everywhere(site, check)
    direct = seen["direct"]
    assert faults(direct) == []
    assert all(events == direct for events in seen.values())


def test_an_answer_is_the_same_whether_it_was_compressed_or_not(site: Site) -> None:
    claim = site.writer.begin()
    site.writer.say(claim, 30, "Heat pumps move heat rather than making it. " * 20)
    site.writer.complete(claim)
    path_of = f"/missions/{claim.mission_id}/events"

    def check(path: str, caller: Caller) -> str:
        plain = caller.ask("GET", path_of, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        packed = caller.ask("GET", path_of, headers={"Accept-Encoding": "gzip"})
        assert plain.json()["events"] == packed.json()["events"]
        assert len(plain.json()["events"]) == 2 + 30 + LAST
        return str(packed.headers.get("Content-Encoding"))

    how = everywhere(site, check)
    assert how["nginx-gzip"] == "gzip"


def test_streams_bring_the_same_events_and_say_where_to_go_on(site: Site) -> None:
    claim = site.writer.begin()
    site.writer.say(claim, 30)
    site.writer.complete(claim)
    feed = f"/missions/{claim.mission_id}/events"
    expected = [event["seq"] for event in site.first.events(claim.mission_id)]

    def check(_path: str, caller: Caller) -> None:
        lines = caller.ask(
            "GET", feed, headers={"Accept": "application/x-ndjson"}
        ).text.splitlines()
        rows = [json.loads(line) for line in lines]
        assert [row["seq"] for row in rows if "kind" in row] == expected
        assert _streamed(caller, feed) == expected

    everywhere(site, check)


def _streamed(caller: Caller, feed: str) -> list[int]:
    """The ids of an event stream, taken up again as an EventSource does until there is no more."""
    ids: list[int] = []
    while True:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(ids[-1] if ids else 0)}
        answer = caller.ask("GET", feed, headers=headers)
        if answer.status_code == 204:
            return ids
        whole = answer.text.split("\n\n")[:-1]  # a cut one has no empty line behind it
        events = [block for block in whole if "event: bookmark" not in block]
        ids += [int(each) for block in events for each in re.findall(r"^id: ?(\d+)$", block, re.M)]


def test_what_changed_is_seen_at_once_behind_every_cache(site: Site) -> None:
    claim = site.writer.begin()
    mission, feed = f"/missions/{claim.mission_id}", f"/missions/{claim.mission_id}/events"

    def before(_path: str, caller: Caller) -> Any:
        return caller.get(mission)["status"], len(caller.get(feed)["events"])

    assert set(everywhere(site, before).values()) == {("running", 2)}
    site.writer.say(claim, 1)
    site.writer.complete(claim)

    def behind(_path: str, caller: Caller) -> Any:
        answer = caller.ask("GET", feed)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Age" not in answer.headers or answer.headers["Age"] == "0"
        return caller.get(mission)["status"], len(answer.json()["events"])

    assert set(everywhere(site, behind).values()) == {("completed", 2 + 1 + LAST)}


def test_the_head_of_an_answer_and_what_is_allowed_can_be_asked(site: Site) -> None:
    def check(path: str, caller: Caller) -> None:
        head = caller.ask("HEAD", "/events", params={"after": 0, "wait": 0})
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["Content-Type"] == "application/json"
        allowed = caller.ask("OPTIONS", "/missions")
        assert allowed.status_code in (200, 204)
        assert {"GET", "POST"} <= set(allowed.headers["Allow"].replace(" ", "").split(","))
        refused = caller.ask("DELETE", "/missions") if path != "chaos" else None
        assert refused is None or refused.status_code == 405

    everywhere(site, check)


def test_errors_and_headers_arrive_as_the_server_sent_them(site: Site) -> None:
    def check(path: str, caller: Caller) -> None:
        missing = caller.ask("GET", "/missions/999999")
        assert missing.status_code == 404
        assert missing.headers["Content-Type"] == "application/problem+json"
        assert missing.json()["code"] == "not_found"
        ahead = caller.ask("GET", "/events", params={"after": 2**53 - 1})
        assert (ahead.status_code, ahead.json()["code"]) == (410, "cursor_ahead")
        asked = {"X-Request-Id": f"asked-{path}", "Idempotency-Key": f"key-{path}-{time.time()}"}
        made = caller.ask("POST", "/missions", json=SPEC, headers=asked)
        again = caller.ask("POST", "/missions", json=SPEC, headers=asked)
        assert made.status_code == again.status_code == 201
        assert again.headers["Idempotency-Replayed"] == "true"
        assert made.headers["X-Request-Id"] == f"asked-{path}"
        # Relative, for the server does not know its name; some proxies make it absolute.
        where = made.headers["Location"]
        assert where in (f"/missions/{made.json()['id']}", f"{site.urls[path]}{where}")
        assert again.json()["id"] == made.json()["id"]
        cancelled = caller.ask("POST", f"/missions/{made.json()['id']}/cancel")
        assert cancelled.status_code == 200 or path == "chaos"

    everywhere(site, check)


def test_a_human_is_answered_once_through_every_path(site: Site) -> None:
    questions = {}
    for path in site.urls:
        claim = site.writer.begin()
        questions[path] = (claim, site.writer.ask(claim))

    def check(path: str, caller: Caller) -> None:
        claim, request_id = questions[path]
        assert caller.get(f"/requests/{request_id}")["status"] == "pending"
        where, key = f"/requests/{request_id}", {"Idempotency-Key": f"answer-{request_id}"}
        first = caller.ask("POST", where, json={"answer": path}, headers=key)
        assert (first.status_code, first.json()["answer"]) == (200, path)
        other = caller.ask("POST", where, json={"answer": "something else"})
        assert (other.status_code, other.json()["code"]) == (409, "already_answered")
        names = [e["name"] for e in caller.get(f"/missions/{claim.mission_id}/events")["events"]]
        assert names.count("answered") == 1

    everywhere(site, check)
    for claim, _ in questions.values():
        site.writer.complete(claim)


def test_a_server_that_goes_answers_all_it_holds_through_every_path(site: Site) -> None:
    """nginx-two has a second server; chaos may have cut anything. Those two ask again, and are held."""
    head = head_of(site)
    paths = [path for path in site.urls if path not in ("chaos", "nginx-two")]

    def hold(path: str, number: int) -> tuple[str, int, str]:
        query = {"after": head, "wait": 20, "client": f"{path}-{number}"}
        answer = httpx.get(f"{site.urls[path]}/events", params=query, timeout=30, trust_env=False)
        return path, answer.status_code, answer.json()["reason"]

    with ThreadPoolExecutor(len(paths) * HELD) as pool:
        asked = itertools.product(paths, range(HELD))
        holds = [pool.submit(hold, path, number) for path, number in asked]
        until(lambda: held(site.first.url) >= len(holds), what="polls that are held")
        site.first.stop("web")
        answers = [each.result(30) for each in holds]
    assert set(answers) == {(path, 200, "drain") for path in paths}
