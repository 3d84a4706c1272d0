"""Errors as application/problem+json: one place for all of them, and no exception's text in any."""

import logging
from typing import Any

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from service.api.answers import protect, raw_answer
from service.db import UNAVAILABLE
from service.errors import ERRORS, Problem

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
    app.register_error_handler(Exception, _unexpected)


def answer(problem: Problem, *, headers: dict[str, str] | None = None) -> Response:
    declared = problem.declared
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": declared.title,
        "status": declared.status,
        "code": problem.code,
        "detail": problem.detail,
    } | problem.extra
    if problem.code == "unauthorized":
        headers = {"WWW-Authenticate": "Bearer", **(headers or {})}
    return protect(
        raw_answer(
            orjson.dumps(body),
            declared.status,
            content_type="application/problem+json",
            headers=headers,
        )
    )


def _problem(problem: Problem) -> Response:
    return answer(problem)


def _http(error: HTTPException) -> Response:
    code = CODES.get(error.code or 500, "internal")
    response = answer(Problem(code))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _unavailable(_error: Exception) -> Response:
    logger.exception("the database does not answer")
    problem = Problem("database_unavailable", retry_s=RETRY_AFTER_S)
    return answer(problem, headers={"Retry-After": str(RETRY_AFTER_S)})


def _unexpected(_error: Exception) -> Response:
    logger.exception("a request failed")
    return answer(Problem("internal", ERRORS["internal"].title))
