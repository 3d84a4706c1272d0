"""Every call of the API as steps: which request, and whether it may be sent again after an outage."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from service.client.steps import Send, Steps, call, keyed, once, under

Files = Mapping[str, bytes]  # contents by name


def create(
    spec: dict[str, Any], key: str | None, patience_s: float | None, files: Files | None
) -> Steps:
    if not files:
        return keyed("/missions", spec, key, patience_s)
    parts: list[tuple[str, tuple[str | None, bytes]]] = [
        ("mission", (None, json.dumps(spec).encode()))
    ]
    parts += [("file", (name, content)) for name, content in files.items()]
    return call(Send("POST", "/missions", parts=parts, headers=under(key)), patience_s)


def answer(request_id: int, value: Any, key: str | None, patience_s: float | None) -> Steps:
    return keyed(f"/requests/{request_id}", {"answer": value}, key, patience_s)


def get(path: str, patience_s: float | None, **params: Any) -> Steps:
    given = {name: value for name, value in params.items() if value is not None}
    return call(Send("GET", path, given), patience_s)


def part(name: str, steps: Steps) -> Steps:
    """One key of an answer."""
    return (yield from steps)[name]


def order(mission_id: int, what: str) -> Steps:
    """Cancel or retry: sent once, for a repetition would not find things as they were."""
    return once(Send("POST", f"/missions/{mission_id}/{what}"))


def content(file_id: int, patience_s: float | None) -> Steps:
    read: Callable[[httpx.Response], bytes] = lambda response: response.content  # noqa: E731
    return call(Send("GET", f"/files/{file_id}"), patience_s, read)
