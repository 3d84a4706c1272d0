"""Errors as application/problem+json: one place for all of them, and no exception's text in any."""

import logging
from typing import Any

from flask import Flask, Response
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError
from werkzeug.exceptions import HTTPException

from service.api.answers import protect, raw_answer
from service.db import UNAVAILABLE, reason
from service.errors import ERRORS, Problem
from service.events.text import encode

RETRY_AFTER_S = 2  # a database restart takes about this long

# What flask itself finds wrong, in our words.
CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}

logger = logging.getLogger(__name__)


def register(app: Flask) -> None:
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http)
    for unavailable in UNAVAILABLE:
        app.register_error_handler(unavailable, _unavailable)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(Exception, _unexpected)


def answer(problem: Problem, *, headers: dict[str, str] | None = None) -> Response:
    declared = problem.declared
    standard: dict[str, Any] = {
        "type": "about:blank",
        "title": declared.title,
        "status": declared.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    body = problem.extra | standard  # nothing that a case adds may take a standard member's place
    headers = dict(headers or {})
    if problem.code == "unauthorized":
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_s" in problem.extra:
        headers["Retry-After"] = str(problem.extra["retry_s"])
    return protect(
        raw_answer(
            encode(body).encode(),
            declared.status,
            content_type="application/problem+json",
            headers=headers,
        )
    )


def _problem(problem: Problem) -> Response:
    return answer(problem)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    response = answer(Problem(CODES.get(status, "bad_request" if status < 500 else "internal")))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _database(error: DBAPIError) -> Response:
    """A broken file and a lost connection have no class of their own, only the general ones."""
    lost = type(error) in (DatabaseError, InterfaceError) or error.connection_invalidated
    return _unavailable(error) if lost else _unexpected(error)


def _unavailable(error: Exception) -> Response:
    logger.warning("the database does not answer: %s", reason(error))
    return answer(Problem("database_unavailable", retry_s=RETRY_AFTER_S))


def _unexpected(_error: Exception) -> Response:
    logger.exception("a request failed")
    return answer(Problem("internal", ERRORS["internal"].title))
