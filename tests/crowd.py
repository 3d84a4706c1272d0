"""Many who follow one mission, in a process of their own.

As threads of the tests' process they would leave no time to the model's endpoint, which is there too.
Each has a connection, its cursor, and the patience to come back to a server that is away.

    python -m tests.crowd PORT MISSION COUNT

prints a line when each of them has seen an event, and behind it what each has seen, as JSON.
"""

import asyncio
import json
import random
import subprocess
import sys
from typing import Any, Self

COMES_BACK_S = 0.3
ENDS_WITHIN_S = 60.0


class Crowd:
    """`count` followers of a mission, from its first event to its last."""

    def __init__(self, port: int, mission_id: int, count: int) -> None:
        arguments = [str(number) for number in (port, mission_id, count)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments], stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def wait_until_under_way(self) -> None:
        """Each has seen something."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"under way\n"

    def seen(self) -> list[list[int]]:
        """The `seq` of every event that came, for each follower. Waits for the mission's end."""
        output, _ = self._process.communicate(timeout=ENDS_WITHIN_S)
        return [list(of_one) for of_one in json.loads(output)]


class Follower:
    def __init__(self, port: int, mission_id: int) -> None:
        self.seen: list[int] = []
        self.begun = asyncio.Event()
        self._port = port
        self._path = f"/missions/{mission_id}/events?after={{}}&wait=20"
        self._after, self._closed = 0, False

    async def run(self) -> None:
        while not self._closed:
            try:
                await self._follow(*await asyncio.open_connection("127.0.0.1", self._port))
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(random.uniform(0, COMES_BACK_S))

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not self._closed:
                path = self._path.format(self._after)
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                self._take(await _answer(reader))
        finally:
            writer.close()

    def _take(self, page: dict[str, Any]) -> None:
        self.seen += [event["seq"] for event in page["events"]]
        self._after, self._closed = page["next"], page["closed"]
        if self.seen:
            self.begun.set()


async def _answer(reader: asyncio.StreamReader) -> Any:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, rest = head.partition(b"content-length: ")
    return json.loads(await reader.readexactly(int(rest.split(b"\r\n")[0])))


async def main(port: int, mission_id: int, count: int) -> None:
    followers = [Follower(port, mission_id) for _ in range(count)]
    running = [asyncio.create_task(follower.run()) for follower in followers]
    await asyncio.gather(*(follower.begun.wait() for follower in followers))
    print("under way", flush=True)
    await asyncio.gather(*running)
    print(json.dumps([follower.seen for follower in followers]))


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
