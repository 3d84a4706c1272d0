"""The Python client: missions, their events and their questions over HTTP, as any client has them."""

import random
import time
from collections.abc import Iterator
from typing import Any, Self

import httpx

POLL_WAIT_S = 20.0
TIMEOUT = httpx.Timeout(40.0, connect=5.0)  # a hold is 25 s at most; a proxy may add a little
BACKOFF_FIRST_S, BACKOFF_MOST_S = 0.2, 5.0
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})  # somebody on the way is not ready


class ApiError(Exception):
    """An answer that is no success. code: of the problem, `unknown` when it was none of ours."""

    def __init__(self, status: int, code: str, detail: str, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.body = body


class Client:
    """One server. Close it, or use it in a `with` block."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def create(self, spec: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Create a mission. key: an Idempotency-Key, under which it may be sent again."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._json("POST", "/missions", json=spec, headers=headers)

    def mission(self, mission_id: int) -> dict[str, Any]:
        return self._json("GET", f"/missions/{mission_id}")

    def missions(self, **filters: Any) -> list[dict[str, Any]]:
        """Missions, newest first. filters: status, limit, before."""
        found: list[dict[str, Any]] = self._json("GET", "/missions", params=filters)["missions"]
        return found

    def cancel(self, mission_id: int) -> dict[str, Any]:
        return self._json("POST", f"/missions/{mission_id}/cancel")

    def pending(self, mission_id: int) -> list[dict[str, Any]]:
        """A mission's open questions."""
        params = {"status": "pending", "mission": mission_id}
        found: list[dict[str, Any]] = self._json("GET", "/requests", params=params)["requests"]
        return found

    def request(self, request_id: int) -> dict[str, Any]:
        return self._json("GET", f"/requests/{request_id}")

    def answer(self, request_id: int, value: Any) -> dict[str, Any]:
        return self._json("POST", f"/requests/{request_id}", json={"answer": value})

    def follow(self, mission_id: int, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """A mission's events, each once, in order, until its last; held while there are none.

        Outages are waited out and lose nothing: the cursor is here, and the log is there.
        """
        failures = 0
        while True:
            try:
                page = self._page(mission_id, after)
            except (httpx.TransportError, ValueError, ApiError) as error:
                if isinstance(error, ApiError) and error.status not in AGAIN:
                    raise
                failures += 1
                _back_off(failures)
                continue
            failures = 0
            yield from page["events"]
            after = page["next"]
            if page["closed"]:
                return
            time.sleep(page["retry_s"])

    def _page(self, mission_id: int, after: int) -> dict[str, Any]:
        params = {"after": after, "wait": POLL_WAIT_S}
        page = self._json("GET", f"/missions/{mission_id}/events", params=params)
        if "next" not in page:
            raise ValueError("not an answer of the feed")
        return page

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = self._http.request(method, path, **request)
        if response.is_success:
            body: dict[str, Any] = response.json()
            return body
        raise _error(response)


def _error(response: httpx.Response) -> ApiError:
    try:
        body = response.json()
    except ValueError:  # a proxy's page
        body = {}
    code, detail = body.get("code", "unknown"), body.get("detail", response.reason_phrase)
    return ApiError(response.status_code, code, detail, body)


def _back_off(failures: int) -> None:
    """Full jitter: clients that lost the server together do not come back together."""
    most = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** min(failures, 10))
    time.sleep(random.uniform(0, most))  # noqa: S311
