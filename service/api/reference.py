"""`/openapi.json`, the API as a document for programs, and `/docs`, the same to read."""

from functools import cache

import orjson
from flask import Blueprint, Response

from service.api.answers import raw_answer
from service.api.openapi.document import document
from service.api.static import page_answer

blueprint = Blueprint("reference", __name__)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    return raw_answer(_text())


@blueprint.get("/docs")
def docs() -> Response:
    """Open to anybody: it tells nothing of this server but its version."""
    return page_answer("docs.html")


@cache
def _text() -> bytes:
    return orjson.dumps(document())
