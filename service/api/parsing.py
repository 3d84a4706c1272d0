"""Requests into typed values: query strings, JSON bodies, pointers to what does not fit."""

import difflib
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

import orjson
from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.errors import Problem

BODY_MAX_BYTES = 256 * 1024  # a mission's spec comes back in answers that stay below 1 MiB

# What clients of other feeds send, and what they mean by it here.
MEANT = dict.fromkeys(("since", "offset", "cursor", "last_event_id", "from"), "after") | {
    "timeout": "wait",
    "kinds": "kind",
    "type": "kind",
    "missions": "mission",
    "count": "limit",
}

Model = TypeVar("Model", bound=BaseModel)


def arguments(*known: str) -> dict[str, list[str]]:
    """The query string's parameters. Raises Problem unknown_field for one that is not known."""
    given = request.args.to_dict(flat=False)
    for name in given:
        if name not in known:
            raise _unknown(name, known, parameter=name)
    return given


def body() -> bytes:
    """The body, counted while it is read. Raises Problem body_too_large, unsupported_media_type."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("unsupported_media_type", "The body must not be compressed.")
    if (request.content_length or 0) > BODY_MAX_BYTES:
        raise Problem("body_too_large", f"At most {BODY_MAX_BYTES} bytes.", limit=BODY_MAX_BYTES)
    # Not request.data: with a chunked body, flask's limit cuts it silently.
    ends = request.environ.get("wsgi.input_terminated")
    stream = request.environ["wsgi.input"] if ends else request.stream
    content: bytes = stream.read(BODY_MAX_BYTES + 1)
    if len(content) > BODY_MAX_BYTES:
        raise Problem("body_too_large", f"At most {BODY_MAX_BYTES} bytes.", limit=BODY_MAX_BYTES)
    return content


def json_body() -> bytes:
    """The bytes of a body that says that it is JSON."""
    if request.mimetype != "application/json":
        raise Problem("unsupported_media_type", "The body must be application/json.")
    return body()


def decode(content: bytes) -> Any:
    """JSON into values. orjson refuses bad UTF-8, lone surrogates and nesting that is too deep."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem("malformed_json", f"Not valid JSON at {where}.") from None


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
            return _unknown(name, _keys(model), pointer=pointer(error["loc"], value))
    places = list(_places(errors, value))
    return Problem("invalid", f"{places[0]['pointer']}: {places[0]['detail']}", errors=places)


def _places(errors: list[ErrorDetails], value: Any) -> Iterator[dict[str, str]]:
    for error in errors:
        faults = error.get("ctx", {}).get("faults")
        if faults:
            yield from faults
        else:
            yield {"pointer": pointer(error["loc"], value), "detail": error["msg"]}


def pointer(location: tuple[int | str, ...], value: Any) -> str:
    """A JSON pointer to a place in the body; pydantic's location also names branches of unions."""
    parts: list[str] = []
    for i, part in enumerate(location):
        last = i == len(location) - 1
        inside = (isinstance(value, dict) and part in value) or (
            isinstance(value, list) and isinstance(part, int)
        )
        if inside:
            value = value[part]
        elif not (last and isinstance(value, dict)):
            continue
        parts.append(str(part).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in parts)


def _keys(model: type[BaseModel]) -> Collection[str]:
    """Names that could have been meant: of the whole schema, for it is small and flat."""
    schema = model.model_json_schema()
    names = set(schema.get("properties", {}))
    for part in schema.get("$defs", {}).values():
        names |= set(part.get("properties", {}))
    return names


def _unknown(name: str, known: Collection[str], **where: str) -> Problem:
    meant = MEANT.get(name) if MEANT.get(name) in known else None
    meant = meant or next(iter(difflib.get_close_matches(name, known, n=1)), None)
    detail = f"{name!r} is not known" + (f"; did you mean {meant!r}?" if meant else ".")
    error = {**where, "detail": detail}
    return Problem("unknown_field", detail, field=name, did_you_mean=meant, errors=[error])
