"""JSON answers leave as gzip where the client takes it and it pays. Streams never: each piece is to go at once."""

from flask import Response, g, request

from service.feed.answer import GZIP_FROM_BYTES, Answer
from service.feed.answer import pack as packed

JSON = "application/json"


def pack(response: Response) -> Response:
    """A feed's answer was packed once for all who get it."""
    if response.mimetype != JSON:
        return response
    response.vary.add("Accept-Encoding")
    if not takes_gzip() or response.content_encoding or response.direct_passthrough:
        return response
    answer: Answer | None = g.get("feed_answer")
    body = answer.packed if answer else _packed(response)
    if body is not None:
        response.set_data(body)
        response.content_encoding = "gzip"
    return response


def takes_gzip() -> bool:
    return request.accept_encodings["gzip"] > 0


def _packed(response: Response) -> bytes | None:
    body = response.get_data()
    return packed(body) if len(body) >= GZIP_FROM_BYTES else None
