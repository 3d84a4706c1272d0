"""The Python client: missions, their events and their questions over HTTP, as any client has them.

    from service.client import Client

    with Client("http://127.0.0.1:8000") as client:
        mission = client.missions.create(spec)
        for event in client.follow(mission["id"]):
            if event["kind"] == "HUMAN_INPUT_REQUEST":
                client.answer(event["data"]["id"], "yes")

`AsyncClient` has the same methods, to be awaited. What a network does to a client – cut answers,
restarts, a proxy's own pages – is dealt with in here; `errors` says what is left for the caller.
"""

from service.client.aio import AsyncClient
from service.client.errors import (
    ApiError,
    CursorAhead,
    CursorExpired,
    EventsMissing,
    FeedReset,
    LongPollError,
)
from service.client.sync import Client
from service.client.values import Event, Mission, Question

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "CursorAhead",
    "CursorExpired",
    "Event",
    "EventsMissing",
    "FeedReset",
    "LongPollError",
    "Mission",
    "Question",
]
