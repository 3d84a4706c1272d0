"""Webhooks: each chosen event at least once, signed, over failures and deaths; to public addresses only."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from models import deliveries as rows
from models import webhooks
from service.client import ApiError
from service.config import Settings
from service.webhooks import queue
from service.webhooks.form import is_allowed_form
from service.webhooks.queue import Due
from service.webhooks.sending import Missed, send
from tests.client.writer import Writer
from tests.contract import given as the
from tests.processes import Longline, until
from tests.webhooks.conftest import Receiver, is_signed

pytestmark = pytest.mark.processes

KINDS = ["STATUS", "STREAM"]


@contextmanager
def sender(web: Longline, receiver: Receiver, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = web.environment | {
        "LONGLINE_WEBHOOK_HOSTS": receiver.host,
        "LONGLINE_WEBHOOK_PAUSES": "0.1,0.1,0.1",
        **settings,
    }
    command = [sys.executable, "-m", "service.cli", "sender"]
    with (web.folder / "sender.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def no_webhooks_of_other_tests(writer: Writer) -> None:
    with writer.db.transaction() as conn:
        conn.execute(rows.delete())
        conn.execute(webhooks.delete())


def hook(writer: Writer, receiver: Receiver, **given: Any) -> dict[str, Any]:
    """A webhook; made below the API, whose process does not know the receiver's port."""
    from service.webhooks import registry

    with writer.db.transaction() as conn:
        return registry.create(conn, the.WORKSPACE, f"http://{receiver.host}/hook", KINDS, **given)


def status_of(writer: Writer, webhook_id: int) -> dict[str, int]:
    with writer.db.reading() as conn:
        found = queue.history(conn, webhook_id, limit=200, status=None)
    counts: dict[str, int] = {}
    for one in found:
        counts[one["status"]] = counts.get(one["status"], 0) + 1
    return counts


def release(writer: Writer) -> None:
    """Let what a killed sender had taken be due at once, instead of in a minute."""
    with writer.db.transaction() as conn:
        conn.execute(rows.update().where(rows.c.status == "pending").values(next_ms=0))


def chosen(web: Longline, mission_id: int) -> set[int]:
    return {e["seq"] for e in web.events(mission_id) if e["kind"] in KINDS}


def test_chosen_events_arrive_signed_and_a_failed_try_is_repeated_under_its_id(
    web: Longline, writer: Writer, receiver: Receiver
) -> None:
    made = hook(writer, receiver)
    seen: set[str] = set()

    def refuse_once(count: int) -> int:
        name = receiver.got[count - 1]["headers"]["webhook-id"]
        return 204 if name in seen or seen.add(name) else 500

    receiver.answer = refuse_once
    claim = writer.begin()
    with sender(web, receiver):
        writer.say(claim, 5)
        writer.complete(claim)
        wanted = chosen(web, claim.mission_id)
        until(lambda: status_of(writer, made["id"]).get("delivered", 0) == len(wanted), what="end")
    assert receiver.seqs() == wanted
    assert all(is_signed(one, made["secret"]) for one in receiver.got)
    ids = {one["headers"]["webhook-id"] for one in receiver.got}
    assert len(ids) == len(wanted) < len(receiver.got)


def test_kill_9_of_the_sender_loses_nothing(
    web: Longline, writer: Writer, receiver: Receiver
) -> None:
    made = hook(writer, receiver)
    claim = writer.begin()
    writer.say(claim, 8)
    writer.complete(claim)
    wanted = chosen(web, claim.mission_id)
    with sender(web, receiver) as first:
        # It is killed while the receiver has the event and has not yet answered.
        receiver.arrived = lambda count: os.kill(first.pid, signal.SIGKILL) if count == 3 else None
        first.wait(30)
    receiver.arrived = lambda _count: None
    release(writer)
    with sender(web, receiver):
        until(lambda: status_of(writer, made["id"]).get("delivered", 0) == len(wanted), what="end")
    assert receiver.seqs() == wanted


def test_a_sender_that_dies_between_planning_and_sending_has_planned_once(
    writer: Writer, receiver: Receiver
) -> None:
    made = hook(writer, receiver)
    claim = writer.begin()
    writer.say(claim, 3)
    for crash in (True, False, False):
        try:
            with writer.db.transaction() as conn:
                queue.plan(conn, made["id"])
                if crash:
                    raise InterruptedError
        except InterruptedError:
            assert status_of(writer, made["id"]) == {}
    assert status_of(writer, made["id"]) == {"pending": 5}
    with writer.db.transaction() as conn:
        assert len(queue.claim(conn, limit=100)) >= 5
    with writer.db.transaction() as conn:
        assert queue.claim(conn, limit=100) == []
    writer.complete(claim)


def test_after_the_last_try_it_has_failed_and_can_be_sent_again(
    web: Longline, writer: Writer, receiver: Receiver
) -> None:
    claim = writer.begin()
    writer.complete(claim)
    made = hook(writer, receiver, mission_id=claim.mission_id)
    receiver.answer = lambda _count: 503
    with sender(web, receiver, LONGLINE_WEBHOOK_PAUSES="0.1"):
        until(lambda: status_of(writer, made["id"]) == {"failed": 3}, what="failures")
        receiver.answer = lambda _count: 200
        listed = web.client.get(f"/webhooks/{made['id']}/deliveries", status="failed")["deliveries"]
        assert {(one["tries"], one["response"]) for one in listed} == {(2, 503)}
        for one in listed:
            web.client.send("POST", f"/deliveries/{one['id']}/redeliver")
        until(lambda: status_of(writer, made["id"]) == {"delivered": 3}, what="redelivery")


def test_a_receiver_that_is_gone_gets_nothing_more(
    web: Longline, writer: Writer, receiver: Receiver
) -> None:
    hook(writer, receiver)
    receiver.answer = lambda _count: 410
    claim = writer.begin()
    with sender(web, receiver):
        until(lambda: web.client.get("/webhooks")["webhooks"][-1]["disabled_at"], what="disabling")
    writer.complete(claim)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://user:pw@example.org/",
        "ftp://example.org/",
        "https:///x",
        "x",
    ],
)
def test_an_address_that_may_not_be_is_refused(web: Longline, url: str) -> None:
    with pytest.raises(ApiError) as refused:
        web.client.send("POST", "/webhooks", {"url": url})
    assert (refused.value.status, refused.value.body["errors"][0]["pointer"]) == (422, "/url")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_what_is_not_public_is_never_called(host: str) -> None:
    due = Due(1, 1, 1, f"https://{host}/hook", "whsec_c2VjcmV0", "{}", 0)
    with pytest.raises(Missed):
        send(due)


def test_an_operators_own_hosts_are_allowed_by_name_and_port() -> None:
    own = Settings(webhook_hosts="hooks.internal:8080, other").private_webhook_hosts
    assert is_allowed_form("http://hooks.internal:8080/x", own)
    assert not is_allowed_form("http://hooks.internal:8081/x", own)


def test_a_webhook_is_made_listed_and_removed_and_its_secret_told_once(web: Longline) -> None:
    made = web.client.send("POST", "/webhooks", {"url": "https://example.org/hook"})
    assert made["secret"].startswith("whsec_")
    assert made["kinds"] == ["STATUS", "HUMAN_INPUT_REQUEST"]
    [*_, listed] = web.client.get("/webhooks")["webhooks"]
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    web.client.send("DELETE", f"/webhooks/{made['id']}")
    assert made["id"] not in [one["id"] for one in web.client.get("/webhooks")["webhooks"]]


def test_the_kinds_of_a_webhook_are_chosen_by_name(web: Longline) -> None:
    body = {"url": "https://example.org/hook", "kinds": ["OUTPUT", "ERROR", "OUTPUT"]}
    assert web.client.send("POST", "/webhooks", body)["kinds"] == ["OUTPUT", "ERROR"]
    with pytest.raises(ApiError) as refused:
        web.client.send("POST", "/webhooks", body | {"kinds": ["SHOUT"]})
    assert refused.value.body["errors"][0]["pointer"] == "/kinds/0"
