"""The process that events come from: real appends to our database, or the same JSON to a peer's publisher.

    python -m tests.bench.writer < task.json

Says "ready", waits for a line, writes at the pace that was asked for, and notes for each event when it was
committed (a peer's: when its sending began) where the client looks for it.
"""

import base64
import json
import os
import socket
import struct
import sys
import time
from array import array
from collections.abc import Callable
from mmap import mmap
from pathlib import Path
from typing import Any

from service.config import Settings
from service.db import Database
from service.events import log
from service.events.kinds import Kind, NewEvent

Write = Callable[[int, str], int]  # channel and text → when, in ns


def main() -> None:
    task = json.loads(sys.stdin.readline())
    write = _ours(task) if "data" in task else _publisher(task)
    times = _times(task)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(_paced(task, write, times)), flush=True)
    sys.stdin.read()  # a peer forgets what it has not read of a publisher that has gone


def _paced(task: dict[str, Any], write: Write, times: memoryview) -> dict[str, Any]:
    """One event at a time, round the channels. How long each took in ms, and how late the writer was."""
    channels, events, gap_s = len(task["channels"]), task["events"], 1 / task["per_s"]
    took, late_s = array("d"), 0.0
    begin = time.perf_counter()
    for n in range(channels * events):
        left = begin + n * gap_s - time.perf_counter()
        if left > 0:
            time.sleep(left)
        late_s = max(late_s, -left)
        started = time.perf_counter()
        at = write(n % channels, text(n, task["sizes"]))
        took.append((time.perf_counter() - started) * 1000)
        times[n % channels * events + n // channels] = at
    return {
        "took": [round(ms, 4) for ms in took],
        "late_ms": late_s * 1000,
        "seconds": time.perf_counter() - begin,
    }


def text(n: int, sizes: list[int]) -> str:
    """Words as a model says them, of about the size whose turn it is."""
    size = sizes[n % len(sizes)]
    words = f'{n} Die Wärmepumpe "moves" heat – it doesn\'t make any. '
    return (words * (size // len(words) + 1))[:size]


def _times(task: dict[str, Any]) -> memoryview:
    with Path(task["times"]).open("r+b") as file:
        return memoryview(mmap(file.fileno(), 0)).cast("q")


def _ours(task: dict[str, Any]) -> Write:
    db = Database(
        Settings(data=Path(task["data"]), database_url=None, sqlite_synchronous=task["synchronous"])
    )
    db.tidy()  # as the worker does, in whose place this process writes

    def write(channel: int, delta: str) -> int:
        event = NewEvent(Kind.STREAM, "text", {"delta": delta}, "writer", "draft", "c1")
        with db.transaction() as conn:
            log.append(conn, task["channels"][channel], [event], fence=None)
        return time.monotonic_ns()

    return write


def _publisher(task: dict[str, Any]) -> Write:
    sockets = [_websocket(task["port"], path) for path in task["channels"]]
    numbers = [0] * len(sockets)

    def write(channel: int, delta: str) -> int:
        numbers[channel] += 1
        frame = _frame(message(channel, numbers[channel], delta))
        at = time.monotonic_ns()
        sockets[channel].sendall(frame)
        _swallow(sockets[channel])
        return at

    return write


def message(channel: int, number: int, delta: str) -> bytes:
    """As `log.render` writes an event."""
    data = json.dumps({"delta": delta}, ensure_ascii=False)
    return (
        f'{{"seq":{number},"mission":{channel},"mseq":{number},"attempt":0,"kind":"STREAM",'
        f'"name":"text","at":"2026-11-22T20:00:00.123Z","agent":"writer","task":"draft",'
        f'"call":"c1","data":{data}}}'
    ).encode()


def _websocket(port: int, path: str) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    made.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += made.recv(4096)
    if b" 101 " not in head.split(b"\r\n")[0]:
        raise ConnectionError(head.decode())
    made.setblocking(False)
    return made


def _frame(message: bytes) -> bytes:
    """A text frame of a client: masked, here with zeros."""
    size = len(message)
    head = (
        struct.pack("!BB", 0x81, 0x80 | size)
        if size < 126
        else struct.pack("!BBH", 0x81, 0xFE, size)
    )
    return head + bytes(4) + message


def _swallow(made: socket.socket) -> None:
    """What the peer says to its publisher, nchan for each message."""
    try:
        while made.recv(65536):
            pass
    except BlockingIOError:
        return


if __name__ == "__main__":
    main()
