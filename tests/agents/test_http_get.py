"""http_get: pages of the open internet and no others, pinned, capped, and in time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service.agents.tools import http_get
from service.agents.tools.http_get import HTTP_GET, Fetch, Refused
from service.security.addresses import is_public

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def site(answer: Answer) -> Iterator[tuple[int, list[str]]]:
    """A web server on loopback: its port, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            asked.append(f"{self.headers['Host']}{self.path}")
            answer(self)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    server.handle_error = lambda request, client: None  # type: ignore[method-assign]  # clients leave
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()


def saying(body: bytes, kind: str = "text/plain", status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def loopback(address: str) -> bool:
    return address == "127.0.0.1"


def here(host: str, port: int) -> list[str]:
    """A resolver to which every name means this machine."""
    return ["127.0.0.1"]


FETCH = Fetch(allowed=loopback, resolve=here, time_max_s=5.0)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1",
        "", "localhost", "1.2.3",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "127.1"],
)
def test_this_machine_is_not_reached_however_it_is_written(host: str) -> None:
    with site(saying(b"inside")) as (port, asked):
        told = HTTP_GET.run(url=f"http://{host}:{port}/")
    assert told.startswith("Error: ")
    assert "inside" not in told
    assert asked == []


def test_a_page_is_fetched_by_its_name_from_the_address_that_was_checked() -> None:
    with site(saying(b"a page")) as (port, asked):
        assert FETCH.text(f"http://example.org:{port}/x?y=1") == "a page"
    assert asked == [f"example.org:{port}/x?y=1"]


def test_a_name_is_resolved_once() -> None:
    """A second look could give another address than the one that was checked."""
    looks: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        looks.append(host)
        return ["127.0.0.1"] if len(looks) == 1 else ["10.0.0.1"]

    with site(saying(b"a page")) as (port, _):
        page = Fetch(allowed=loopback, resolve=rebinding).text(f"http://example.org:{port}/")
    assert (page, looks) == ("a page", ["example.org"])


def test_a_name_that_also_means_an_inner_address_is_refused() -> None:
    both = Fetch(allowed=loopback, resolve=lambda host, port: ["127.0.0.1", "10.0.0.1"])
    with site(saying(b"a page")) as (port, asked), pytest.raises(Refused):
        both.text(f"http://example.org:{port}/")
    assert asked == []


def test_a_redirect_to_an_inner_address_is_not_followed() -> None:
    def names(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "example.org" else ["10.0.0.1"]

    inner = saying(b"", status=302, Location="http://metadata.internal/latest")
    with site(inner) as (port, asked), pytest.raises(Refused, match="cannot be reached"):
        Fetch(allowed=loopback, resolve=names).text(f"http://example.org:{port}/")
    assert len(asked) == 1


@pytest.mark.parametrize("place", ["file:///etc/passwd", "gopher://example.org/", "http://a:b@c/"])
def test_a_redirect_to_what_is_no_page_is_not_followed(place: str) -> None:
    with site(saying(b"", status=301, Location=place)) as (port, _), pytest.raises(Refused):
        FETCH.text(f"http://example.org:{port}/")


def test_redirects_are_followed_and_end() -> None:
    def hop(handler: BaseHTTPRequestHandler) -> None:
        number = int(handler.path[1:])
        done = number == 3
        place = {} if done else {"Location": f"/{number + 1}"}
        saying(b"arrived", status=200 if done else 307, **place)(handler)

    with site(hop) as (port, asked):
        assert FETCH.text(f"http://example.org:{port}/0") == "arrived"
        assert len(asked) == 4
    with site(saying(b"", status=302, Location="/")) as (port, asked):
        with pytest.raises(Refused, match="redirects more than"):
            FETCH.text(f"http://example.org:{port}/")
        assert len(asked) == http_get.REDIRECTS_MAX + 1


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org/", "file:///etc/passwd", "http://", "http:///x",
     "http://u:p@example.org/", "http://exa mple.org/", "http://[::1", "http://x:99999/", "//x/"],
)  # fmt: skip
def test_what_is_no_address_of_a_page_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        FETCH.text(url)


def test_a_page_that_is_too_large_is_left() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    with site(endless) as (port, _), pytest.raises(Refused, match="more than"):
        FETCH.text(f"http://example.org:{port}/")


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    while True:
        handler.wfile.write(b"X-Header: x\r\n")
        time.sleep(0.05)


def test_a_page_that_drips_is_left_in_time() -> None:
    started = time.monotonic()
    with site(drip) as (port, _), pytest.raises(Refused, match="in time"):
        Fetch(allowed=loopback, resolve=here, time_max_s=0.5).text(f"http://example.org:{port}/")
    assert time.monotonic() - started < 20  # it drips for ever


def test_a_resolver_that_hangs_is_left_in_time() -> None:
    never = threading.Event()
    slow = Fetch(resolve=lambda host, port: [str(never.wait(30))], time_max_s=0.2)
    with pytest.raises(Refused, match="in time"):
        slow.text("http://example.org/")
    never.set()


@pytest.mark.parametrize(
    "answer",
    [saying(b"\x1f\x8b", Content_Encoding="gzip"), saying(b"%PDF", "application/pdf"),
     saying(b"\x89PNG\0", "image/png"), saying(b"a\0b", "text/plain")],
)  # fmt: skip
def test_what_is_no_text_is_refused(answer: Answer) -> None:
    with site(answer) as (port, _), pytest.raises(Refused):
        FETCH.text(f"http://example.org:{port}/")


def test_a_page_is_read_as_a_reader_sees_it() -> None:
    html = (
        "<title>Pumps</title><script>alert(1)</script><style>p {}</style>"
        "<h1>Heat &amp; pumps</h1><p>Über\n  alles</p><ul><li>one<li>two</ul>"
    )
    with site(saying(html.encode(), "text/html; charset=utf-8")) as (port, _):
        text = FETCH.text(f"http://example.org:{port}/")
    assert text.splitlines() == ["Pumps", "Heat & pumps", "Über alles", "one", "two"]


def test_an_errors_page_says_that_it_is_one() -> None:
    with site(saying(b"gone", status=404)) as (port, _):
        assert FETCH.text(f"http://example.org:{port}/") == "HTTP 404\ngone"


def test_a_long_page_is_cut_with_a_mark() -> None:
    with site(saying(b"x" * 30_000)) as (port, _):
        text = FETCH.text(f"http://example.org:{port}/")
    assert text.endswith("[10000 more characters]")
