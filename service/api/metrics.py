"""`GET /metrics`, and the measuring of every request. Also gives each request its id, for the log."""

import logging
import re
import time
import uuid

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request

from service import logs, metrics
from service.api.access import allow
from service.api.answers import raw_answer
from service.api.parsing import arguments
from service.api.services import services
from service.metrics import WebMetrics

NAME = "longline.metrics"
LOOKING = ("GET", "HEAD", "OPTIONS")  # too many to log, and nothing happens by them
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

logger = logging.getLogger(__name__)

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def shown() -> Response:
    """Numbers over all workspaces, so only admin's."""
    allow("admin")
    arguments()
    _own().holding(services().feed.held)
    return raw_answer(metrics.ready(services().db, _own()), content_type=metrics.CONTENT_TYPE)


def measure(app: Flask, own: WebMetrics) -> None:
    """Count the requests of an application."""
    app.extensions[NAME] = own
    app.before_request(_begin)
    app.after_request(_end)


def _own() -> WebMetrics:
    found: WebMetrics = current_app.extensions[NAME]
    return found


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    name = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex[:16]
    logs.about(request=name, path=request.path)
    g.began, g.request_id = time.monotonic(), name


def _end(response: Response) -> Response:
    if "began" not in g:
        return response
    took_s = time.monotonic() - g.began
    response.headers["X-Request-Id"] = g.request_id
    own, endpoint = _own(), request.endpoint or ""
    if "feed_answer" in g:
        own.answered(g.feed_answer.reason, took_s)
    elif endpoint.startswith("events.") and response.status_code < 400:
        pass  # a stream, or a poll that is counted when it is answered
    elif "wait" not in request.args and endpoint != "doctor.doctor":
        own.requests.labels(request.method, f"{response.status_code // 100}xx").observe(took_s)
    if request.method not in LOOKING:
        logger.info("%s: %s", request.method, response.status_code)
    structlog.contextvars.clear_contextvars()
    return response
