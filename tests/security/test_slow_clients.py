"""Clients that take their time, and of others: slow ones are cut off, loops slowed, proxies seen through."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.api import events
from service.api.limits import Allowance
from service.api.services import NAME
from tests.api.server import Server, problem
from tests.processes import Longline

pytestmark = pytest.mark.waits

CONF = Path(__file__).with_name("hasty_conf.py")
WITHIN_S = 20.0  # a deadline of a second, on a busy machine
DRIP_S = 0.2


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Longline]:
    """A web process whose clients have a second."""
    running = Longline(tmp_path_factory.mktemp("hasty"))
    running._programs["web"] = ["gunicorn", "--config", str(CONF), "service.app:create_app()"]
    running.start("web")
    yield running
    running.client.close()
    running.stop("web")


def connected(web: Longline, *, receive: int | None = None) -> socket.socket:
    client = socket.socket()
    if receive is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    client.settimeout(WITHIN_S)
    client.connect(("127.0.0.1", web.port))
    return client


def dripped(client: socket.socket) -> bytes:
    """What comes back while a byte is sent every fifth of a second, until the other side closes."""
    client.settimeout(DRIP_S)
    deadline, came = time.monotonic() + WITHIN_S, b""
    while time.monotonic() < deadline:
        try:
            piece = client.recv(65536)
            if not piece:
                return came
            came += piece
        except TimeoutError:
            with contextlib.suppress(OSError):  # closed: then there is no more to come either
                client.sendall(b"x")
        except ConnectionResetError:  # closed, while a byte of ours was on its way
            return came
    raise AssertionError("it goes on as long as we like")


@pytest.mark.processes
def test_headers_that_drip_are_not_waited_for(web: Longline) -> None:
    with connected(web) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert b"200" not in dripped(client)
    assert httpx.get(f"{web.url}/healthz").status_code == 200


@pytest.mark.processes
@pytest.mark.parametrize(
    "length", [b"Content-Length: 100000", b"Transfer-Encoding: chunked\r\n\r\n186A0"]
)
def test_a_body_that_drips_is_told_that_it_is_too_slow(web: Longline, length: bytes) -> None:
    ending = b"\r\n" if b"chunked" in length else b"\r\n\r\n"
    with connected(web) as client:
        client.sendall(
            b"POST /missions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + length
            + ending
        )
        answer = dripped(client)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"408" in head.splitlines()[0]
    assert json.loads(body)["code"] == "body_too_slow"


@pytest.mark.processes
def test_a_client_that_does_not_read_is_left(web: Longline) -> None:
    wanted, size = 30, 1_000_000  # more than any buffer in between holds
    ask = f"GET /doctor?bytes={size} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with connected(web, receive=4096) as client:
        client.sendall(ask * wanted)
        time.sleep(3)  # what is tested: a time in which nothing is read
        came = 0
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(1 << 20):
                came += len(piece)
    assert came < wanted * size / 2
    assert httpx.get(f"{web.url}/healthz").status_code == 200


def test_a_loop_that_makes_no_progress_is_slowed(tmp_path, monkeypatch):
    paused: list[float] = []
    monkeypatch.setattr(events, "pause", paused.append)
    monkeypatch.setattr(events, "AT_ONCE_S", 10.0)  # the machine may be busy
    with Server(tmp_path) as server:
        server.app.extensions[NAME].limits.still = Allowance(at_once=10, per_s=0.001)
        for _ in range(13):
            assert server.poll(after=0, wait=0)["reason"] in ("now", "events")
        assert paused == [1.0] * 3
        server.poll(wait=0, limit=7)  # another question
        assert paused == [1.0] * 3


# Behind a proxy


def sign_in(server: Server, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    token = server.token("read")["Authorization"].removeprefix("Bearer ")
    return server.request("POST", "/login", data={"token": token}, headers=named)


def test_behind_a_platform_s_tls_the_cookie_is_secure_and_https_is_kept(tmp_path):
    with Server(tmp_path, forwarded=1) as server:
        answer = sign_in(server, X_Forwarded_Proto="https")
        assert "Secure" in answer.headers["Set-Cookie"].split("; ")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "Strict-Transport-Security" not in sign_in(server).headers


def test_forwarded_headers_of_anybody_are_not_believed(tmp_path):
    with Server(tmp_path) as server:
        answer = sign_in(server, X_Forwarded_Proto="https")
        assert "Secure" not in answer.headers["Set-Cookie"].split("; ")
        assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("forwarded", [0, 1])
def test_signing_in_is_counted_by_who_tries_whatever_they_claim(tmp_path, forwarded):
    with Server(tmp_path, forwarded=forwarded) as server:

        def attempt(n: int, last: str):
            headers = {"X-Forwarded-For": f"10.0.0.{n}, {last}"}
            return server.request("POST", "/login", data={"token": "x"}, headers=headers)

        tried = [attempt(n, "9.9.9.9") for n in range(21)]
        assert [answer.status_code for answer in tried] == [303] * 20 + [429]
        problem(tried[-1], 429, "too_many_attempts")
        # Another one behind the same proxy is another one, where there is a proxy.
        assert attempt(0, "8.8.8.8").status_code == (303 if forwarded else 429)


def test_a_hosting_platform_is_known_to_have_one_proxy(monkeypatch, tmp_path):
    monkeypatch.setenv("RENDER", "true")
    with Server(tmp_path, host="127.0.0.1") as server:
        assert "Secure" in sign_in(server, X_Forwarded_Proto="https").headers["Set-Cookie"]
