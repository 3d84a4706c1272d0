"""Requests into typed values: query strings, JSON and form bodies, pointers to what does not fit."""

import difflib
import time
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from service.errors import Problem
from service.feed.cursor import once
from service.feed.patience import TooSlow, within

BODY_MAX_BYTES = 256 * 1024  # a mission's spec comes back in answers that stay below 1 MiB
# orjson reads 1024 levels and writes 254: what is stored has to go out again, and inside of more.
DEPTH_MAX = 100
FAULTS_MAX = 50  # a context of 100 tasks of 100 names can have 10,000
ECHO_MAX_CHARS = 100  # of an unknown name, which is said four times over
CHUNK_BYTES = 64 * 1024
BODY_WITHIN_S = 20.0  # of the whole body: byte by byte, a client could stay for ever
FORM = "application/x-www-form-urlencoded"
FIELDS_MAX = 20

# What clients of other feeds send, and what they mean by it here.
MEANT = dict.fromkeys(("since", "offset", "cursor", "last_event_id", "from"), "after") | {
    "timeout": "wait",
    "kinds": "kind",
    "type": "kind",
    "missions": "mission",
    "count": "limit",
}

Model = TypeVar("Model", bound=BaseModel)


class Nothing(BaseModel):
    """The body of a POST that takes none."""

    model_config = ConfigDict(extra="forbid")


def arguments(*known: str) -> dict[str, list[str]]:
    """The query string's parameters. Raises Problem unknown_field for one that is not known."""
    given = request.args.to_dict(flat=False)
    for name in given:
        if name not in known:
            raise _unknown(name, known, parameter=name)
    return given


def single(*known: str) -> dict[str, str]:
    """As `arguments`, each with its one value. Raises Problem invalid for one that is repeated."""
    return {name: once(name, values) for name, values in arguments(*known).items()}


def body() -> bytes:
    """The body, counted while it is read. Raises Problem body_too_large, unsupported_media_type."""
    return b"".join(pieces(BODY_MAX_BYTES, CHUNK_BYTES))


def pieces(most: int, size: int) -> Iterator[bytes]:
    """The body in pieces of this size at most. Raises as `body`, as soon as it is longer than `most`."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("unsupported_media_type", "The body must not be compressed.")
    if (request.content_length or 0) > most:
        raise Problem("body_too_large", f"At most {most} bytes.", limit=most)
    # Not request.data: with a chunked body, flask's limit cuts it silently.
    ends = request.environ.get("wsgi.input_terminated")
    stream = request.environ["wsgi.input"] if ends else request.stream
    left, deadline = most, time.monotonic() + BODY_WITHIN_S
    while piece := _read(stream, min(size, left + 1), deadline):
        left -= len(piece)
        if left < 0:
            raise Problem("body_too_large", f"At most {most} bytes.", limit=most)
        yield piece


def _read(stream: Any, size: int, deadline: float) -> bytes:
    try:
        with within(max(0.0, deadline - time.monotonic())):
            piece: bytes = stream.read(size)
    except TooSlow:
        raise Problem("body_too_slow", f"The body has {BODY_WITHIN_S:g} s.") from None
    return piece


def json_body() -> bytes:
    """The bytes of a body that says that it is JSON."""
    if request.mimetype != "application/json":
        raise Problem("unsupported_media_type", "The body must be application/json.")
    return body()


def no_body() -> None:
    """Refuse keys where none has a meaning: what is ignored was meant to do something."""
    content = body()
    if content:
        fit(Nothing, decode(content))


def form_body() -> dict[str, str]:
    """The fields of a plain HTML form. Not flask's: that reads a chunked body without a limit."""
    if request.mimetype != FORM:
        raise Problem("unsupported_media_type", f"The body must be {FORM}.")
    try:
        fields = parse_qsl(
            body().decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise Problem("bad_request", "The body is not a form in UTF-8.") from None
    return dict(fields)


def decode(content: bytes | str) -> Any:
    """JSON into values. Raises Problem malformed_json, also for bad UTF-8 and lone surrogates."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem("malformed_json", f"Not valid JSON at {where}.") from None
    if _deeper_than(DEPTH_MAX, value):
        raise Problem("malformed_json", f"Nested deeper than {DEPTH_MAX} levels.")
    return value


def _deeper_than(levels: int, value: Any) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper_than(levels - 1, item) for item in inside)


def fit(model: type[Model], value: Any) -> Model:
    """A decoded body as a model. Raises Problem unknown_field or invalid, with JSON pointers."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _misfit(error.errors(include_url=False), value, model) from None


def _misfit(errors: list[ErrorDetails], value: Any, model: type[BaseModel]) -> Problem:
    for error in errors:
        if error["type"] == "extra_forbidden":
            name = str(error["loc"][-1])
            return _unknown(name, _keys(model), pointer=pointer(error, value))
    places = list(islice(_places(errors, value), FAULTS_MAX))
    first = places[0]
    return Problem("invalid", f"{first['pointer'] or 'the body'}: {first['detail']}", errors=places)


def _places(errors: list[ErrorDetails], value: Any) -> Iterator[dict[str, str]]:
    for error in errors:
        faults = error.get("ctx", {}).get("faults")
        if faults:
            yield from faults
        else:
            yield {"pointer": pointer(error, value), "detail": error["msg"]}


def pointer(error: ErrorDetails, value: Any) -> str:
    """A JSON pointer to a place in the body; pydantic's location also names branches of unions."""
    parts = [str(part) for part in _keys_on_the_way(error["loc"], value)]
    if error["type"] == "missing":
        parts.append(str(error["loc"][-1]))
    escaped = (_brief(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join(f"/{part}" for part in escaped)


def _keys_on_the_way(location: tuple[int | str, ...], value: Any) -> Iterator[int | str]:
    for part in location:
        inside = part in value if isinstance(value, dict) else isinstance(part, int)
        if inside:
            yield part
            value = value[part]


def _keys(model: type[BaseModel]) -> Collection[str]:
    """Names that could have been meant: of the whole schema, for it is small and flat."""
    schema = model.model_json_schema()
    names = set(schema.get("properties", {}))
    for part in schema.get("$defs", {}).values():
        names |= set(part.get("properties", {}))
    return names


def _brief(text: str) -> str:
    return text if len(text) <= ECHO_MAX_CHARS else text[:ECHO_MAX_CHARS] + "…"


def _unknown(name: str, known: Collection[str], **where: str) -> Problem:
    name = _brief(name)
    meant = MEANT.get(name) if MEANT.get(name) in known else None
    meant = meant or next(iter(difflib.get_close_matches(name, known, n=1)), None)
    detail = f"{name!r} is not known" + (f"; did you mean {meant!r}?" if meant else ".")
    error = {**where, "detail": detail}
    return Problem("unknown_field", detail, field=name, did_you_mean=meant, errors=[error])
