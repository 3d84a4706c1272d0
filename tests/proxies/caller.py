"""A client at one end of a path: kept-alive connections, and no more sense than api.md asks of anybody."""

import time
from typing import Any, Self

import httpx

from tests.chaos import PAGE

TRIES = 20


class Caller:
    """Sends requests, and again where the path did not bring an answer of the API.

    may_fail: without it, the first such answer is an error: a decent proxy gives none.
    """

    def __init__(self, url: str, *, may_fail: bool) -> None:
        # Longer than any hold; and one connection, so that each request follows on another.
        self._http = httpx.Client(
            base_url=url, timeout=35, limits=httpx.Limits(max_connections=1), trust_env=False
        )
        self._may_fail = may_fail

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        for _ in range(TRIES):
            try:
                answer = self._http.request(method, path, **options)
                if answer.content != PAGE and _is_whole(answer, method):
                    return answer
            except httpx.TransportError:
                if not self._may_fail:
                    raise
            assert self._may_fail, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        raise AssertionError(f"{method} {path} never got an answer")

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def poll(self, after: int | str, **query: Any) -> Any:
        return self.get("/events", after=after, **query)

    def follow(self, after: int, upto: int, **query: Any) -> list[dict[str, Any]]:
        """Every event after a cursor. Each answer has to go on exactly where the one before ended."""
        events: list[dict[str, Any]] = []
        deadline = time.monotonic() + 30
        while after < upto:
            assert time.monotonic() < deadline, f"only up to {after} of {upto}"
            page = self.poll(after, wait=5, **query)
            assert page["next"] >= after
            assert [e["seq"] for e in page["events"]] == list(range(after + 1, page["next"] + 1))
            events += page["events"]
            after = page["next"]
        return events


def _is_whole(answer: httpx.Response, method: str) -> bool:
    """Whether an answer that says it is JSON is so; a cut may look like an end."""
    if method == "HEAD":
        return answer.headers.get("Content-Type") != "text/html"
    if "ndjson" in answer.headers.get("Content-Type", ""):
        return answer.text.splitlines()[-1:] != [] and '"end":true' in answer.text.splitlines()[-1]
    if "json" not in answer.headers.get("Content-Type", ""):
        return True
    try:
        answer.json()
    except ValueError:
        return False
    return True
