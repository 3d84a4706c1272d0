"""The tool `http_get`: one page of the open internet, as text. Not a browser, and no way into a network.

A name is resolved once, and the connection goes to the address that was checked: a name that
means another address a moment later gains nothing. Every redirect is a new connection, checked alike.
"""

import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx
from pydantic import BaseModel, Field

from service.agents.tools.connecting import Checked, Resolve, resolve
from service.agents.tools.pages import readable
from service.agents.tools.tool import Tool, refusal
from service.security.addresses import is_public

TIME_MAX_S = 15.0  # for all of it: names, redirects, body
BODY_MAX_BYTES = 2_000_000
TEXT_MAX_CHARS = 20_000
REDIRECTS_MAX = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = (
    (b"User-Agent", b"longline"),
    (b"Accept", b"text/*, application/json, application/xml;q=0.9, */*;q=0.1"),
    (b"Accept-Encoding", b"identity"),  # a small compressed body may unpack to any size
)


class Refused(Exception):
    """Why there is no page; fit to be told to a model."""


class Args(BaseModel):
    url: str = Field(description="A whole address, with http:// or https://")


@dataclass(frozen=True, slots=True)
class Fetch:
    """How pages are fetched. allowed, resolve, trust: what a test puts in place."""

    allowed: Callable[[str], bool] = is_public
    resolve: Resolve = resolve
    time_max_s: float = TIME_MAX_S
    trust: ssl.SSLContext | None = field(default=None)

    def text(self, url: str) -> str:
        """The page as text. Raises Refused."""
        deadline = time.monotonic() + self.time_max_s
        backend = Checked(self.allowed, self.resolve, deadline)
        trust = self.trust or httpx.create_ssl_context()
        with httpcore.ConnectionPool(ssl_context=trust, network_backend=backend) as pool:
            try:
                return self._follow(pool, url)
            except (TimeoutError, httpcore.TimeoutException):
                raise Refused("the page did not come in time.") from None
            except (OSError, httpcore.NetworkError, httpcore.ProtocolError):
                raise Refused("the page cannot be reached.") from None

    def _follow(self, pool: httpcore.ConnectionPool, url: str) -> str:
        for _ in range(REDIRECTS_MAX + 1):
            _check_form(url)
            with pool.stream("GET", url, headers=HEADERS) as response:
                place = _header(response.headers, b"location")
                if response.status not in REDIRECTS or not place:
                    return _read(response)
            url = urljoin(url, place)
        raise Refused(f"the page redirects more than {REDIRECTS_MAX} times.")


def _check_form(url: str) -> None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not url.isascii() or any(c.isspace() for c in url):
        raise Refused("this is no address of a page: it begins with http:// or https://.")
    if parts.username is not None or parts.password is not None:
        raise Refused("an address may hold no user name and no password.")


def _read(response: httpcore.Response) -> str:
    if _header(response.headers, b"content-encoding") not in ("", "identity"):
        raise Refused("the page is compressed, which was not asked for.")
    kind = _header(response.headers, b"content-type")
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise Refused(f"the page has more than {BODY_MAX_BYTES} bytes.")
    text = readable(bytes(body), kind)
    if text is None:
        raise Refused(f"the page is no text but {kind or 'something unknown'}.")
    if len(text) > TEXT_MAX_CHARS:
        text = f"{text[:TEXT_MAX_CHARS]}\n… [{len(text) - TEXT_MAX_CHARS} more characters]"
    return text if response.status < 400 else f"HTTP {response.status}\n{text}"


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    return next((v.decode("latin-1").strip() for k, v in headers if k.lower() == name), "")


def tool(fetch: Fetch) -> Tool:
    def run(url: str) -> Any:
        try:
            return fetch.text(url)
        except Refused as refused:
            return refusal(str(refused))

    return Tool("http_get", "Fetches a page of the open internet, as text.", Args, run)


HTTP_GET = tool(Fetch())
