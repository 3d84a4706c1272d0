"""The client for ordinary code: carries out the steps with httpx, sleeping where they say so."""

import time
from collections.abc import Generator, Iterator
from typing import Any, Self, cast

import httpx

from service.client import calls, feed
from service.client.calls import Files
from service.client.feed import Cursor
from service.client.steps import TIMEOUT, Pause, Send, Steps, once
from service.client.tls import verify
from service.client.values import Event, File, Mission, Question

PATIENCE_S = 10.0  # a restart of the server takes less


class Client:
    """One server. Close it, or use it in a `with` block. Not for several threads at once."""

    def __init__(
        self, url: str, token: str | None = None, *, patience_s: float | None = PATIENCE_S
    ) -> None:
        """patience_s: how long single calls wait out an outage; None for as long as it takes."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT, verify=verify(url)
        )
        self._patience_s = patience_s
        self.url = url
        self.missions = Missions(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def create(
        self, spec: dict[str, Any], *, key: str | None = None, files: Files | None = None
    ) -> Mission:
        return self.missions.create(spec, key=key, files=files)

    def mission(self, mission_id: int) -> Mission:
        return self.missions.get(mission_id)

    def cancel(self, mission_id: int) -> Mission:
        return self.missions.cancel(mission_id)

    def follow(self, mission_id: int | None = None, **where: Any) -> Iterator[Event]:
        """A mission's events until its last, or a workspace's without end; held while there are none.

        where: as for `Cursor` (after, feed, kinds, patience_s). Raises ApiError, LongPollError.
        """
        return self.go_on(Cursor(mission_id, **where))

    def go_on(self, cursor: Cursor) -> Iterator[Event]:
        """As `follow`, with a cursor of yours: it tells at any time how far you are."""
        return self._events(cursor.steps())

    def wait_until(self, mission_id: int, *statuses: str, within_s: float | None = None) -> Mission:
        """The mission, once it has one of the statuses (left out: once it has ended).

        Raises TimeoutError; ValueError when it has ended in another way.
        """
        return cast(Mission, self.run(feed.wait_until(mission_id, statuses, within_s)))

    def pending(self, mission_id: int | None = None) -> list[Question]:
        """Open questions, newest first, of one mission or of all."""
        return self.questions(mission_id, status="pending")

    def questions(
        self, mission_id: int | None = None, *, status: str | None = None
    ) -> list[Question]:
        """Questions, newest first. status: pending, answered, expired, cancelled."""
        found = calls.get("/requests", self._patience_s, mission=mission_id, status=status)
        return cast(list[Question], self.run(calls.part("requests", found)))

    def request(self, request_id: int) -> Question:
        return cast(Question, self.run(calls.get(f"/requests/{request_id}", self._patience_s)))

    def answer(self, request_id: int, value: Any, *, key: str | None = None) -> Question:
        """Answer a question, once, whatever happens to the connection meanwhile."""
        steps = calls.answer(request_id, value, key, self._patience_s)
        return cast(Question, self.run(steps))

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """What the API says under any other path."""
        return cast(dict[str, Any], self.run(calls.get(path, self._patience_s, **params)))

    def send(self, method: str, path: str, json: Any = None) -> dict[str, Any]:
        """Any other request, sent once."""
        return cast(dict[str, Any], self.run(once(Send(method, path, json=json))))

    def file(self, file_id: int) -> bytes:
        return cast(bytes, self.run(calls.content(file_id, self._patience_s)))

    def run(self, steps: Steps) -> Any:
        """Carry out a call's steps; what they return."""
        try:
            step = next(steps)
            while True:
                step = self._carry_out(steps, step)
        except StopIteration as end:
            return end.value

    def _events(self, steps: Generator[Send | Pause | Event, Any, None]) -> Iterator[Event]:
        step = next(steps, None)
        while step is not None:
            if isinstance(step, Send | Pause):
                try:
                    step = self._carry_out(steps, step)
                except StopIteration:
                    return
            else:
                yield step
                step = next(steps, None)

    def _carry_out(self, steps: Generator[Any, Any, Any], step: Send | Pause) -> Any:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return next(steps)
        try:
            response = self._http.request(
                step.method,
                step.path,
                params=step.params,
                json=step.json,
                files=step.parts,
                headers=step.headers,
            )
        except httpx.TransportError as error:
            return steps.throw(error)
        return steps.send(response)


class Missions:
    """`client.missions`: create, get, cancel, retry; called, it lists them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, **filters: Any) -> list[Mission]:
        """Missions, newest first. filters: status, limit, before."""
        steps = calls.get("/missions", self._client._patience_s, **filters)
        return cast(list[Mission], self._client.run(calls.part("missions", steps)))

    def create(
        self, spec: dict[str, Any], *, key: str | None = None, files: Files | None = None
    ) -> Mission:
        """Create a mission, once. key: an Idempotency-Key, if a later call may mean the same one.

        files: what it is given, contents by name.
        """
        steps = calls.create(spec, key, self._client._patience_s, files)
        return cast(Mission, self._client.run(steps))

    def get(self, mission_id: int) -> Mission:
        steps = calls.get(f"/missions/{mission_id}", self._client._patience_s)
        return cast(Mission, self._client.run(steps))

    def cancel(self, mission_id: int) -> Mission:
        return cast(Mission, self._client.run(calls.order(mission_id, "cancel")))

    def retry(self, mission_id: int) -> Mission:
        """A new mission from this one's spec."""
        return cast(Mission, self._client.run(calls.order(mission_id, "retry")))

    def files(self, mission_id: int) -> list[File]:
        """What it was given and has made; `client.file` gets the content."""
        steps = calls.get(f"/missions/{mission_id}/files", self._client._patience_s)
        return cast(list[File], self._client.run(calls.part("files", steps)))
