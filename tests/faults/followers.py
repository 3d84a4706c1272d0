"""Those who follow in a fault run, in a process of their own: they must not starve who plays it.

    python -m tests.faults.followers SEED COUNT PORT…

Each follows the workspace's feed over whichever web process answers, by its cursor alone. Told a number
on stdin, each ends when it has seen so many events; then all that they saw is printed as JSON, and
the answers that no fault excuses.
"""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self
from zlib import crc32

import orjson

PATIENCE_S = 8.0  # with a web process that does not answer
AGAIN_S = 0.2


class Followers:
    """`count` of them, from the first event on."""

    def __init__(self, ports: Sequence[int], seed: int, count: int) -> None:
        arguments = [str(number) for number in (seed, count, *ports)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def end(self, head: int, *, within_s: float) -> dict[str, Any]:
        """What they have seen when the log has so many events: {"seen": a list for each, "odd"}."""
        output, _ = self._process.communicate(f"{head}\n", timeout=within_s)
        told: dict[str, Any] = json.loads(output)
        return told


def seen(event: dict[str, Any]) -> list[int]:
    """What is remembered of an event: its seq, and a checksum of all of it."""
    return [event["seq"], crc32(orjson.dumps(event, option=orjson.OPT_SORT_KEYS))]


class Follower:
    def __init__(self, seed: int, ports: Sequence[int]) -> None:
        self.seen: list[list[int]] = []
        self.odd: list[str] = []
        self._chance = random.Random(seed)
        self._ports = ports
        self._after = 0

    async def run(self, head: "asyncio.Future[int]") -> None:
        while not head.done() or len(self.seen) < head.result():
            # a web process may die, stall or not be there
            with suppress(OSError, EOFError, ValueError, TimeoutError):
                await asyncio.wait_for(self._poll(), PATIENCE_S)
            await asyncio.sleep(AGAIN_S)

    async def _poll(self) -> None:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._chance.choice(self._ports)
        )
        try:
            path = f"/events?after={self._after}&wait=4"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self._take(*await _answer(reader))
        finally:
            writer.close()

    def _take(self, status: int, body: bytes) -> None:
        if status == 200:
            page = orjson.loads(body)
            self.seen += [seen(event) for event in page["events"]]
            self._after = page["next"]
        elif status != 503:
            self.odd.append(f"after={self._after}: {status} {body[:300]!r}")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, rest = head.partition(b"content-length: ")
    return int(head.split()[1]), await reader.readexactly(int(rest.split(b"\r\n")[0]))


async def _told() -> int:
    return int(await asyncio.to_thread(sys.stdin.readline) or 0)


async def main(seed: int, count: int, *ports: int) -> None:
    head: asyncio.Future[int] = asyncio.ensure_future(_told())
    followers = [Follower(seed + n, ports) for n in range(count)]
    await asyncio.gather(head, *(follower.run(head) for follower in followers))
    odd = [each for follower in followers for each in follower.odd]
    print(json.dumps({"seen": [follower.seen for follower in followers], "odd": odd}))


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
