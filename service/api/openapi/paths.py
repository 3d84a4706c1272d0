"""The feed, missions and questions in the document, in the order in which a reader wants them."""

from typing import Any

from service.api.openapi import examples as like
from service.api.openapi.operations import (
    FORM,
    JSON,
    MULTIPART,
    answer,
    moved,
    no_body,
    number,
    operation,
    path_id,
    query,
    text_answer,
)
from service.api.openapi.parameters import (
    AFTER,
    CLIENT,
    KEY,
    KIND,
    LAST_ID,
    LIMIT,
    MISSIONS,
    WAIT,
    statuses,
)
from service.api.openapi.values import COUNT, TEXT, Schema, listed, made_of, ref
from service.missions.states import Status
from service.requests.question import RequestStatus

STREAM_IS_OVER = "Only as `text/event-stream`: the mission has ended; an EventSource stops."

MISSION = path_id("mission_id", "A mission.")
REQUEST = path_id("request_id", "A question.")


def _feed(name: str, summary: str, example: Any, parameters: list[Schema]) -> Schema:
    return {
        "get": operation(
            name,
            "Events",
            summary,
            scope="read",
            parameters=parameters,
            answers={200: _pages(example), 204: {"description": STREAM_IS_OVER}},
            errors=("unknown_field", "invalid", "not_found", "cursor_ahead", "cursor_expired"),
            text="Held while there is nothing behind `after`; 25 s at most.",
        )
    }  # fmt: skip


def _pages(example: Any) -> Schema:
    """By Accept: one page, or a stream of what would be in them."""
    told = answer("A page, also when there is nothing new; or a stream.", ref("Page"), example)
    told["content"] |= {
        "text/event-stream": {"schema": {"type": "object"}},
        "application/x-ndjson": {"schema": TEXT},
    }
    return told


def _new_mission() -> Schema:
    either = {"anyOf": [ref("MissionSpec"), ref("ProjectSpec")]}
    with_files = made_of(
        optional=("file",),
        mission=either,
        file=listed({"type": "string", "format": "binary"}),
    )
    content = {
        JSON: {
            "schema": either,
            "examples": {
                "agents": {"value": like.MISSION_SPEC},
                "project": {"value": like.PROJECT_SPEC},
            },
        },
        MULTIPART: {
            "schema": with_files,
            "encoding": {"mission": {"contentType": JSON}},
        },
    }
    return {"required": True, "content": content}


EVENTS = {
    "/events": _feed(
        "all_events", "The feed of all missions", like.PAGE,
        [AFTER, WAIT, MISSIONS, KIND, LIMIT, CLIENT, LAST_ID],
    ),
    "/missions/{mission_id}/events": _feed(
        "mission_events", "The feed of one mission", like.MISSION_PAGE,
        [MISSION, AFTER, WAIT, KIND, LIMIT, CLIENT, LAST_ID],
    ),
}  # fmt: skip

MISSIONS_PATHS = {
    "/missions": {
        "post": operation(
            "create_mission",
            "Missions",
            "Start a mission",
            scope="run",
            parameters=[KEY],
            body=_new_mission(),
            answers={
                201: answer(
                    "The mission, queued.", ref("Mission"), like.MISSION,
                    headers=("Location", "Idempotency-Replayed"),
                )
            },
            errors=("bad_request", "key_reused", "too_many_queued"),
            text="The same `Idempotency-Key` with the same body gives the same mission again. "
            "What has the form of a key is replaced before it is stored.",
        ),
        "get": operation(
            "list_missions",
            "Missions",
            "Missions, newest first",
            scope="read",
            parameters=[
                statuses(list(Status)),
                query("engine", TEXT, "Only those of this engine."),
                query("q", TEXT, "Only titles that have this text in them."),
                number("limit", 1, 200, "Left out: 50."),
                number("before", 1, 2**53 - 1, "Only ids below this one."),
            ],
            answers={
                200: answer(
                    "A page of them. Follow the feed from `as_of`, and nothing is missed.",
                    made_of(missions=listed(ref("Mission")), as_of=COUNT, more={"type": "boolean"}),
                    {"missions": [like.MISSION], "as_of": 57, "more": False},
                )
            },
            errors=("unknown_field", "invalid"),
        ),
    },
    "/missions/{mission_id}": {
        "get": operation(
            "get_mission",
            "Missions",
            "One mission",
            scope="read",
            parameters=[
                MISSION,
                number("rev", 0, 2**53 - 1, "Hold until its `rev` is beyond this one."),
                WAIT,
            ],
            answers={200: answer("The mission.", ref("Mission"), like.MISSION)},
            errors=("unknown_field", "invalid", "not_found"),
        )
    },
    "/missions/{mission_id}/cancel": {
        "post": operation(
            "cancel_mission",
            "Missions",
            "Order a mission to end",
            scope="run",
            parameters=[MISSION],
            body=no_body(),
            answers={200: answer("It ends, or has.", ref("Mission"), like.MISSION)},
            errors=("not_found", "mission_ended"),
        )
    },
    "/missions/{mission_id}/retry": {
        "post": operation(
            "retry_mission",
            "Missions",
            "A new mission from the same spec",
            scope="run",
            parameters=[MISSION, KEY],
            body=no_body(),
            answers={
                201: answer(
                    "The new one; `retry_of` names the old one.", ref("Mission"), like.MISSION,
                    headers=("Location", "Idempotency-Replayed"),
                )
            },
            errors=("not_found", "key_reused", "too_many_queued"),
        )
    },
    "/missions/{mission_id}/files": {
        "get": operation(
            "list_files",
            "Missions",
            "What it was given and has made",
            scope="read",
            parameters=[MISSION],
            answers={
                200: answer("Files.", made_of(files=listed(ref("File"))), {"files": [like.FILE]})
            },
            errors=("unknown_field", "not_found"),
        )
    },
    "/files/{file_id}": {
        "get": operation(
            "get_file",
            "Missions",
            "The bytes of a file, always as an attachment",
            scope="read",
            parameters=[path_id("file_id", "A file.")],
            answers={200: text_answer("The file.", "*/*", headers=("Content-Disposition",))},
            errors=("unknown_field", "not_found"),
        )
    },
}  # fmt: skip

REQUESTS = {
    "/requests": {
        "get": operation(
            "list_requests",
            "Questions",
            "The inbox, newest first",
            scope="read",
            parameters=[
                statuses(list(RequestStatus)),
                number("mission", 1, 2**53 - 1, "Only those of this mission."),
                number("limit", 1, 200, "Left out: 200."),
            ],
            answers={
                200: answer(
                    "Questions.",
                    made_of(requests=listed(ref("Request")), as_of=COUNT),
                    {"requests": [like.REQUEST], "as_of": 57},
                )
            },
            errors=("unknown_field", "invalid", "not_found"),
        )
    },
    "/requests/{request_id}": {
        "get": operation(
            "get_request",
            "Questions",
            "One question; held while it is open, where `wait` says so",
            scope="read",
            parameters=[REQUEST, WAIT],
            answers={200: answer("The question.", ref("Request"), like.REQUEST)},
            errors=("unknown_field", "invalid", "not_found"),
        ),
        "post": operation(
            "answer_request",
            "Questions",
            "Answer it",
            scope="answer",
            parameters=[REQUEST, KEY],
            body={
                "required": True,
                "content": {
                    JSON: {"schema": ref("Answer"), "example": {"answer": "Shorter, please."}},
                    FORM: {
                        "schema": made_of(
                            optional=("answer", "decision", "comment", "args"),
                            answer=TEXT, decision=TEXT, comment=TEXT, args=TEXT,
                        ),
                        "example": {"answer": "Shorter, please."},
                    },
                },
            },
            answers={
                200: answer(
                    "The question with your answer; the same again is marked as replayed.",
                    ref("Request"), like.ANSWERED, headers=("Idempotency-Replayed",),
                ),
                303: moved("A form's answer was taken: on to the mission's page."),
            },
            errors=("bad_request", "not_found", "already_answered", "mission_ended",
                    "request_expired"),
        ),
    },
}  # fmt: skip
