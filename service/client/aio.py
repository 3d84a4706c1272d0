"""The client for asyncio: the same steps, awaited."""

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Any, Self, cast

import httpx

from service.client import calls, feed
from service.client.calls import Files
from service.client.feed import Cursor
from service.client.steps import TIMEOUT, Pause, Send, Steps
from service.client.sync import PATIENCE_S
from service.client.tls import verify
from service.client.values import Event, File, Mission, Question


class AsyncClient:
    """One server. Close it with `aclose`, or use it in an `async with` block."""

    def __init__(
        self, url: str, token: str | None = None, *, patience_s: float | None = PATIENCE_S
    ) -> None:
        """patience_s: how long single calls wait out an outage; None for as long as it takes."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=TIMEOUT, verify=verify(url)
        )
        self._patience_s = patience_s
        self.missions = AsyncMissions(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    def follow(self, mission_id: int | None = None, **where: Any) -> AsyncIterator[Event]:
        """As `Client.follow`, for `async for`."""
        return self.go_on(Cursor(mission_id, **where))

    def go_on(self, cursor: Cursor) -> AsyncIterator[Event]:
        return self._events(cursor.steps())

    async def wait_until(
        self, mission_id: int, *statuses: str, within_s: float | None = None
    ) -> Mission:
        """As `Client.wait_until`."""
        return cast(Mission, await self.run(feed.wait_until(mission_id, statuses, within_s)))

    async def pending(self, mission_id: int | None = None) -> list[Question]:
        """Open questions, newest first, of one mission or of all."""
        found = calls.get("/requests", self._patience_s, mission=mission_id, status="pending")
        return cast(list[Question], await self.run(calls.part("requests", found)))

    async def answer(self, request_id: int, value: Any, *, key: str | None = None) -> Question:
        """Answer a question, once, whatever happens to the connection meanwhile."""
        steps = calls.answer(request_id, value, key, self._patience_s)
        return cast(Question, await self.run(steps))

    async def file(self, file_id: int) -> bytes:
        return cast(bytes, await self.run(calls.content(file_id, self._patience_s)))

    async def run(self, steps: Steps) -> Any:
        """Carry out a call's steps; what they return."""
        try:
            step = next(steps)
            while True:
                step = _resumed(steps, await self._outcome(step))
        except StopIteration as end:
            return end.value

    async def _events(
        self, steps: Generator[Send | Pause | Event, Any, None]
    ) -> AsyncIterator[Event]:
        step = next(steps, None)
        while step is not None:
            if not isinstance(step, Send | Pause):
                yield step
                step = next(steps, None)
                continue
            outcome = await self._outcome(step)
            try:
                step = _resumed(steps, outcome)
            except StopIteration:
                return

    async def _outcome(self, step: Send | Pause) -> httpx.Response | Exception | None:
        """What came of a step; a failure of the transport is one of the things that can come."""
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._http.request(
                step.method,
                step.path,
                params=step.params,
                json=step.json,
                files=step.parts,
                headers=step.headers,
            )
        except httpx.TransportError as error:
            return error


def _resumed(steps: Generator[Any, Any, Any], outcome: httpx.Response | Exception | None) -> Any:
    """The next step, once the last one's outcome is known. Raises StopIteration behind the last."""
    return steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)


class AsyncMissions:
    """`client.missions`, to be awaited."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def __call__(self, **filters: Any) -> list[Mission]:
        """Missions, newest first. filters: status, limit, before."""
        steps = calls.get("/missions", self._client._patience_s, **filters)
        return cast(list[Mission], await self._client.run(calls.part("missions", steps)))

    async def create(
        self, spec: dict[str, Any], *, key: str | None = None, files: Files | None = None
    ) -> Mission:
        steps = calls.create(spec, key, self._client._patience_s, files)
        return cast(Mission, await self._client.run(steps))

    async def get(self, mission_id: int) -> Mission:
        steps = calls.get(f"/missions/{mission_id}", self._client._patience_s)
        return cast(Mission, await self._client.run(steps))

    async def cancel(self, mission_id: int) -> Mission:
        return cast(Mission, await self._client.run(calls.order(mission_id, "cancel")))

    async def retry(self, mission_id: int) -> Mission:
        return cast(Mission, await self._client.run(calls.order(mission_id, "retry")))

    async def files(self, mission_id: int) -> list[File]:
        steps = calls.get(f"/missions/{mission_id}/files", self._client._patience_s)
        return cast(list[File], await self._client.run(calls.part("files", steps)))
