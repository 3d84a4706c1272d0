"""`longline doctor`: what the path between here and the server does to what clients need."""

import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import click
import httpx

from service.cli.outcome import Exit, told
from service.cli.server import LOCAL_URL, as_json
from service.cli.settings import settings
from service.cli.showing import harmless, print_json
from service.client.tls import verify

HOLDS_S = (5.0, 15.0, 25.0)
LATE_S = 3.0  # how much later than it was sent an answer may come
BYTES = 900_000
TICKS_S = 1.6  # how long the stream takes; see the server's
SERIAL_S = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. level: ok, note (works, but know it), bad."""

    check: str
    level: str
    seen: str
    advice: str = ""


class Path:
    """The way to a server, looked at by requests."""

    def __init__(self, url: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        limits = httpx.Limits(max_connections=20)
        self.http = httpx.Client(
            base_url=url, headers=headers, timeout=40.0, limits=limits, verify=verify(url)
        )

    def ask(self, **given: Any) -> httpx.Response:
        """GET /doctor under a URL of its own, so that nothing between mixes two requests up."""
        return self.http.get("/doctor", params={"client": uuid.uuid4().hex, **given})

    def hold(self, seconds: float) -> Finding:
        check = f"hold of {seconds:g} s"
        started = time.monotonic()
        try:
            response = self.ask(hold=seconds)
            took = time.monotonic() - started
        except httpx.TransportError as error:
            took = time.monotonic() - started
            return Finding(
                check, "bad", f"cut after {took:.1f} s ({type(error).__name__})", _SHORTER
            )
        if not response.is_success or "nonce" not in response.text:
            return Finding(check, "bad", f"{response.status_code} after {took:.1f} s", _SHORTER)
        if took > seconds + LATE_S:
            return Finding(check, "note", f"came {took - seconds:.1f} s late", _HELD_BACK)
        return Finding(check, "ok", f"answered after {took:.1f} s")

    def large(self) -> Finding:
        try:
            response = self.ask(bytes=BYTES)
        except httpx.TransportError as error:
            return Finding("large answer", "bad", f"cut ({type(error).__name__})", _CUT)
        if len(response.content) != BYTES:
            return Finding("large answer", "bad", f"{len(response.content)} of {BYTES} bytes", _CUT)
        told_sum = response.headers.get("X-Longline-Sha256")
        if told_sum not in (None, hashlib.sha256(response.content).hexdigest()):
            return Finding("large answer", "bad", "its bytes were changed", _CUT)
        return Finding("large answer", "ok", f"{BYTES} bytes, whole")

    def headers(self) -> Finding:
        sent = {"Idempotency-Key": "doctor", "Last-Event-ID": "7"}
        response = self.http.get("/doctor", params={"client": uuid.uuid4().hex}, headers=sent)
        arrived = response.json()["headers"]
        lost = [name for name, value in sent.items() if arrived[name] != value]
        if "Authorization" in self.http.headers and not arrived["Authorization"]:
            lost.append("Authorization")
        if lost:
            return Finding("headers to the server", "bad", f"stripped: {', '.join(lost)}", _HEADERS)
        if "X-Longline-Doctor" not in response.headers:
            seen = "unusual ones are stripped on the way back"
            return Finding("headers", "note", seen, "Nothing of ours needs them.")
        return Finding("headers", "ok", "arrive, both ways")

    def cached(self) -> Finding:
        params = {"client": uuid.uuid4().hex}
        nonces = [self.http.get("/doctor", params=params).json()["nonce"] for _ in range(2)]
        if nonces[0] == nonces[1]:
            return Finding("caching", "bad", "the second GET got the first one's answer", _CACHED)
        return Finding("caching", "ok", "each GET reaches the server")

    def serialised(self) -> Finding:
        params: dict[str, Any] = {"client": uuid.uuid4().hex, "hold": SERIAL_S}
        started = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: self.http.get("/doctor", params=params), range(2)))
        took = time.monotonic() - started
        if took > SERIAL_S * 1.75:
            return Finding("equal URLs", "note", "served one after the other", _SERIAL)
        return Finding("equal URLs", "ok", "served side by side")

    def live(self) -> Finding:
        params: dict[str, Any] = {"stream": 1, "client": uuid.uuid4().hex}
        started, arrived = time.monotonic(), []
        try:
            with self.http.stream("GET", "/doctor", params=params) as response:
                for line in response.iter_lines():
                    if line.startswith("id:"):
                        arrived.append(time.monotonic() - started)
        except httpx.TransportError as error:
            seen = f"cut after {len(arrived)} events ({type(error).__name__})"
            return Finding("event stream", "note", seen, _LONG_POLL)
        if not arrived or arrived[-1] - arrived[0] < TICKS_S / 2:
            return Finding("event stream", "note", "held back until its end", _LONG_POLL)
        return Finding("event stream", "ok", "arrives live")

    def looks(self, holds_s: Sequence[float]) -> list[Callable[[], Finding]]:
        holds = [lambda seconds=seconds: self.hold(seconds) for seconds in sorted(holds_s)[::-1]]
        return [*holds, self.large, self.headers, self.cached, self.serialised, self.live]


_SHORTER = (
    "Clients wait in vain: ask for less with `wait`, or raise the proxy's timeout above 30 s"
    " (nginx proxy_read_timeout, haproxy timeout server, varnish first_byte_timeout)."
)
_HELD_BACK = "Something collects answers before it passes them on."
_CUT = "Raise the proxy's limit for bodies, or ask for smaller pages with `limit`."
_HEADERS = "Let these pass: without them tokens, or repeated POSTs, do not work."
_CACHED = "Make the cache respect `Cache-Control: no-store`, or send a new `client` each time."
_SERIAL = "Send a new `client` each time; our clients and the page do."
_LONG_POLL = "Use long-polling, the default. For streams in nginx: proxy_buffering off."


@click.command()
@click.argument("url", required=False)
@click.option(
    "--hold",
    "holds_s",
    multiple=True,
    default=HOLDS_S,
    show_default=True,
    type=click.FloatRange(0, 25),
    metavar="SECONDS",
    help="Try whether a request may be held for so long; may be repeated.",
)
@as_json
def doctor(url: str | None, holds_s: tuple[float, ...], json: bool) -> None:
    """Find out what lies between here and the server at URL, in about half a minute.

    Looks whether long holds survive, whether answers are cut, held back or cached, whether headers
    arrive and event streams are live; then says what to set. Exits with 1 when something breaks
    clients.

    \b
    longline doctor https://longline.example.org
    longline doctor https://longline.example.org --hold 5
    """
    found = settings()
    token = found.token.get_secret_value() if found.token else None
    with told():
        path = Path(url or found.url or LOCAL_URL, token)
        first = path.ask()
        if not first.is_success or "nonce" not in first.text:
            raise click.ClickException(f"/doctor answers {first.status_code}: {_why(first)}")
        findings = _look(path, holds_s)
    between = first.headers.get("Via") or first.headers.get("Server") or ""
    if json:
        print_json({"between": between, "findings": [asdict(f) for f in findings]})
    else:
        _print(findings, between)
    raise SystemExit(Exit.ERROR if any(f.level == "bad" for f in findings) else 0)


def _why(first: httpx.Response) -> str:
    if first.status_code in (401, 403):
        return "it wants a token with the scope read.  Set LONGLINE_TOKEN."
    return "is it Longline's?"


def _look(path: Path, holds_s: Sequence[float]) -> list[Finding]:
    """All looks side by side; the longest hold decides how long it takes."""
    looks = path.looks(holds_s)
    with ThreadPoolExecutor(len(looks)) as pool:
        return [running.result() for running in [pool.submit(look) for look in looks]]


def _print(findings: list[Finding], between: str) -> None:
    marks = {"ok": ("✓", "green"), "note": ("•", "yellow"), "bad": ("✗", "red")}
    if between:
        click.echo(f"In between, by its own word: {harmless(between)}")
    for finding in findings:
        mark, colour = marks[finding.level]
        click.secho(f"{mark} {finding.check:<22} {finding.seen}", fg=colour)
        if finding.advice:
            click.echo(f"  {'':<22} {finding.advice}")
    bad = sum(1 for finding in findings if finding.level == "bad")
    verdict = f"{bad} things break clients." if bad else "Long-polling works on this path."
    click.secho(verdict, bold=True)
