"""What a caller of the client has to decide: everything else is waited out and tried again."""

from typing import Any

import httpx


class ApiError(Exception):
    """An answer that is no success. code: of the problem, `unknown` when it was none of ours."""

    def __init__(self, status: int, code: str, detail: str, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.body = body


class LongPollError(Exception):
    """Following cannot go on from where it was. `feed`, `head` and `oldest` tell how the log stands."""

    def __init__(self, text: str, log: dict[str, Any]) -> None:
        super().__init__(text)
        self.feed: str | None = log.get("feed")
        self.head: int | None = log.get("head")
        self.oldest: int | None = log.get("oldest")


class CursorExpired(LongPollError):
    """Events behind the cursor were pruned before they were read: follow again from `oldest` - 1."""


class CursorAhead(LongPollError):
    """The log ends before the cursor: an older database was put in its place. Follow again from 0."""


class FeedReset(LongPollError):
    """The log is another one, under another name: its numbers mean other events. Follow again from 0."""


class EventsMissing(LongPollError):
    """Numbers were left out. Never the server's doing: something between changed an answer."""


def of(response: httpx.Response) -> ApiError:
    """The error that an answer tells, whoever gave it."""
    try:
        body = response.json()
    except ValueError:  # a proxy's page
        body = {}
    if not isinstance(body, dict):
        body = {}
    code, detail = body.get("code", "unknown"), body.get("detail", response.reason_phrase)
    return ApiError(response.status_code, code, detail, body)
