"""64 people answer one question at the same moment over HTTP: one wins, and the agent gets exactly that.

What the transactions do is tested on each database in tests/contract; here are the web process, its
connections, the worker, the agent and what the agent tells its model.
"""

import asyncio
import itertools
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.acceptance.checking import check, ended
from tests.missions import mission, task
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]

MANY = 64
WITHIN_S = 60.0


@dataclass(frozen=True)
class Sent:
    """An answer as somebody sends it."""

    value: str
    key: str | None = None

    def request(self, request_id: int) -> bytes:
        body = json.dumps({"answer": self.value})
        keyed = f"Idempotency-Key: {self.key}\r\n" if self.key else ""
        head = f"POST /requests/{request_id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{head}{about}{keyed}\r\n{body}".encode()


@dataclass(frozen=True)
class Got:
    status: int
    replayed: bool
    body: dict[str, Any]


def several(*, same: bool, keys: str) -> list[Sent]:
    """The same or different answers; with no key, a key each, or all with one key."""
    name = f"{'same' if same else 'other'}-{keys}"
    key = {"none": None, "own": "{}-{}", "shared": "{}"}[keys]
    return [Sent(f"<{name}-{0 if same else n}>", key and key.format(name, n)) for n in range(MANY)]


ANSWER = re.compile(r"<[a-z]+-[a-z]+-[0-9]+>")


async def at_once(url: str, request_id: int, sent: list[Sent]) -> list[Got]:
    """Everybody's request but for its last byte; then all last bytes."""
    address = urlsplit(url)
    streams = [await asyncio.open_connection(address.hostname, address.port) for _ in sent]
    for (_, writer), one in zip(streams, sent, strict=True):
        writer.write(one.request(request_id)[:-1])
    await asyncio.gather(*(writer.drain() for _, writer in streams))
    for _, writer in streams:
        writer.write(b"}")
    answers = await asyncio.wait_for(asyncio.gather(*(r.read() for r, _ in streams)), WITHIN_S)
    for _, writer in streams:
        writer.close()
    return [read(answer) for answer in answers]


def read(answer: bytes) -> Got:
    head, _, body = answer.partition(b"\r\n\r\n")
    replayed = b"idempotency-replayed: true" in head.lower()
    return Got(int(head.split()[1]), replayed, json.loads(body))


def test_of_64_answers_one_wins_and_the_agent_gets_exactly_that(
    longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("Heat pumps move heat."))]
    created = longline.client.create(mission(task("draft", human_input=True)))
    won: list[str] = []
    for same, keys in itertools.product((True, False), ("none", "own", "shared")):
        question = longline.wait_for_question(created["id"])
        sent = several(same=same, keys=keys)
        got = asyncio.run(at_once(longline.url, question["id"], sent))
        conflict = not same and keys != "shared"
        won.append(winner(got, {one.value for one in sent}, conflict=conflict))
    last = longline.wait_for_question(created["id"])
    longline.client.answer(last["id"], "")

    events = check(longline, ended(longline, created["id"]), model_server)
    told = [event["data"]["answer"] for event in events if event["kind"] == "HUMAN_RESPONSE"]
    assert told == [*won, ""]
    heard = json.dumps(model_server.exchanges[-1].request["messages"])
    assert ANSWER.findall(heard) == won


def winner(got: list[Got], values: set[str], *, conflict: bool) -> str:
    """The one answer that counts, after looking at what each of them was told."""
    [first] = [one for one in got if one.status == 200 and not one.replayed]
    value: str = first.body["answer"]
    assert value in values
    others = [one for one in got if one is not first]
    assert all(one.body["answer"] == value for one in others)
    if conflict:
        assert {(one.status, one.body["code"]) for one in others} == {(409, "already_answered")}
    else:
        assert {(one.status, one.body["seq"]) for one in others} == {(200, first.body["seq"])}
    return value
