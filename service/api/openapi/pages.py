"""The routes that are no part of the API: pages, signing in, health, this document."""

from service.api.openapi import examples as like
from service.api.openapi.operations import (
    ALWAYS,
    FORM,
    HTML,
    answer,
    moved,
    number,
    operation,
    path_id,
    problems,
    query,
    text_answer,
)
from service.api.openapi.values import COUNT, TEXT, Schema, made_of
from service.feed.cursor import WAIT_MAX_S

PLAIN = query("plain", TEXT, "The page without scripts instead.")
MISSION = path_id("mission_id", "A mission.")
REQUEST = path_id("request_id", "A question.")
TOLD_ON_PAGE = ("400", "404", "409", "410", "422")
FORM_ERRORS = (
    "forbidden",
    "bad_request",
    "body_too_large",
    "body_too_slow",
    "unsupported_media_type",
)


def _page(name: str, summary: str, *parameters: Schema, errors: tuple[str, ...] = ()) -> Schema:
    """A page for people. Who is not signed in is sent to the sign-in page."""
    answers = {200: text_answer("The page.", HTML), 303: moved("To sign in, or to the plain page.")}
    return {
        "get": operation(
            name,
            "Pages",
            summary,
            scope=None,
            parameters=parameters,
            answers=answers,
            errors=errors,
        )
    }


def _form(name: str, summary: str, fields: Schema, answers: dict[int, Schema], *parameters: Schema,
          errors: tuple[str, ...] = ()) -> Schema:  # fmt: skip
    body = {"required": True, "content": {FORM: {"schema": fields}}}
    found = operation(
        name, "Pages", summary, scope=None, parameters=parameters, answers=answers,
        errors=(*FORM_ERRORS, *errors),
    )  # fmt: skip
    if "already_answered" in errors:  # the page says so, with the status of the error
        for status in TOLD_ON_PAGE:
            found["responses"][status]["content"][HTML] = {"schema": TEXT}
    return found | {"requestBody": body}


def _open(
    name: str, tag: str, summary: str, told: Schema, *, codes: tuple[str, ...] = ALWAYS
) -> Schema:
    """What anybody may ask."""
    return {
        "get": {
            "operationId": name,
            "tags": [tag],
            "summary": summary,
            "responses": {"200": told} | problems(codes),
            "security": [],
        }
    }


ANSWER_FIELDS = made_of(
    optional=("answer", "decision", "comment", "args"),
    answer=TEXT,
    decision={"enum": ["approve", "edit", "reject"]},
    comment=TEXT,
    args=TEXT,
)
ON_PAGE = made_of(
    optional=("request", "answer", "decision", "comment", "args"),
    request=TEXT,
    **ANSWER_FIELDS["properties"],
)
LOGIN = made_of(optional=("token", "next"), token=TEXT, next=TEXT)
TOKEN: Schema = {"name": "token", "in": "path", "required": True, "schema": TEXT}
NAME: Schema = {"name": "name", "in": "path", "required": True, "schema": TEXT,
                "description": "Of a file; it may lie in folders."}  # fmt: skip

ANSWER_ERRORS = (
    *("unauthorized", "too_many_requests", "not_found", "malformed_json", "invalid"),
    *("already_answered", "mission_ended", "request_expired"),
)

PAGES = {
    "/": _page("missions_page", "Missions", PLAIN),
    "/new": _page("new_page", "A new mission", PLAIN),
    "/inbox": _page("inbox_page", "Open questions", PLAIN),
    "/m/{mission_id}": _page("mission_page", "One mission", MISSION, PLAIN, errors=("not_found",)),
    "/plain": _page("missions_plain", "Missions, without scripts", errors=("too_many_requests", "forbidden")),
    "/m/{mission_id}/plain": _page(
        "mission_plain", "One mission, without scripts", MISSION,
        errors=("not_found", "too_many_requests", "forbidden"),
    )
    | {
        "post": _form(
            "answer_plain", "An answer from that page", ON_PAGE,
            {303: moved("It was taken.")}, MISSION,
            errors=ANSWER_ERRORS,
        )
    },
    "/q/{request_id}": _page(
        "question_page", "One question, for who has a link to it", REQUEST,
        errors=("unauthorized", "forbidden", "not_found", "too_many_requests"),
    )
    | {
        "post": _form(
            "answer_question", "An answer from that page", ANSWER_FIELDS,
            {200: text_answer("It was taken.", HTML)}, REQUEST,
            errors=ANSWER_ERRORS,
        )
    },
    "/s/{token}": {
        "get": operation(
            "open_link", "Sharing", "Open a share link", scope=None, parameters=[TOKEN],
            answers={
                303: moved("To what it opens, with a cookie."),
                404: text_answer("It has expired, was used, or never was.", HTML),
            },
        )
    },
    "/login": {
        **_open("login_page", "Pages", "Sign in", text_answer("The form.", HTML)),
        "post": _form(
            "login", "Sign in with a token", LOGIN,
            {303: moved("Signed in, with a cookie; or back to the form.")},
            errors=("too_many_attempts",),
        ),
    },
    "/docs": _open("docs_page", "Pages", "This document, to read", text_answer("The page.", HTML)),
    "/static/build.json": _open(
        "build", "Pages", "A name for the pages that are served",
        answer("The name.", made_of(build=TEXT), {"build": "5f0d1c2b3a495867"}),
    ),
    "/static/{name}": {
        "get": operation(
            "static_file", "Pages", "Scripts, styles and pictures of the pages", scope=None,
            parameters=[NAME], answers={200: text_answer("The file.", "*/*")},
            errors=("not_found",),
        )
    },
}  # fmt: skip

OPERATIONS = {
    "/openapi.json": _open(
        "openapi", "Operations", "This document",
        answer("The document.", {"type": "object"}, {"openapi": "3.1.0"}),
    ),
    "/healthz": _open(
        "healthz", "Operations", "Whether the process is up",
        answer("It is.", made_of(status=TEXT), {"status": "ok"}), codes=("internal",),
    ),
    "/readyz": _open(
        "readyz", "Operations", "Whether it can serve",
        answer("It can.", made_of(status=TEXT, held=COUNT), {"status": "ready", "held": 0}),
        codes=("internal", "database_unavailable"),
    ),
    "/metrics": {
        "get": operation(
            "metrics", "Operations", "Numbers for Prometheus, over all workspaces", scope="admin",
            answers={200: text_answer("In its text format.", "text/plain")}, errors=("unknown_field",),
        )
    },
    "/doctor": {
        "get": operation(
            "doctor", "Operations", "What the path to the server does to answers", scope="read",
            parameters=[
                query(
                    "hold", {"type": "string", "pattern": r"^[0-9]{1,20}(\.[0-9]{1,20})?$"},
                    f"Seconds until the answer; above {WAIT_MAX_S:g} means {WAIT_MAX_S:g}.", example="0",
                ),
                number("bytes", 0, 1_000_000, "An answer of this size."),
                query("stream", {"enum": ["0", "1"]}, "An event stream, in ticks."),
                query("client", {"type": "string", "maxLength": 200}, "Has no effect."),
            ],
            answers={
                200: {
                    "description": "What arrived here; or bytes; or ticks.",
                    "content": {
                        "application/json": {
                            "schema": made_of(
                                nonce=TEXT, held_s={"type": "number"}, headers={"type": "object"},
                                scheme=TEXT,
                            ),
                            "example": like.DOCTOR,
                        },
                        "text/plain": {"schema": TEXT},
                        "text/event-stream": {"schema": {"type": "object"}},
                    },
                }
            },
            errors=("unknown_field", "invalid"),
        )
    },
}  # fmt: skip
