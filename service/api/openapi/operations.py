"""How an operation of the document is put together: parameters, bodies, answers, errors by their codes."""

from collections.abc import Iterable
from typing import Any

from service.api.openapi.values import Schema, ref
from service.errors import ERRORS

Operation = dict[str, Any]

JSON, PROBLEM, HTML = "application/json", "application/problem+json", "text/html"
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"

# Of every operation, of those that need a token, and of those that read a body.
ALWAYS = ("host_not_allowed", "internal", "database_unavailable")
WITH_TOKEN = ("unauthorized", "forbidden", "too_many_requests")
WITH_PARAMETERS = ("unknown_field", "invalid")
WITH_BODY = (
    *("body_too_large", "body_too_slow", "unsupported_media_type"),
    *("malformed_json", "invalid", "unknown_field"),
)
NOTHING = "None: what a body says is refused, an empty object is taken."
RETRY_LATER = (408, 429, 503)


def query(name: str, schema: Schema, text: str, **more: Any) -> Schema:
    return {"name": name, "in": "query", "description": text, "schema": schema, **more}


def number(name: str, low: int, high: int, text: str, **more: Any) -> Schema:
    """A parameter of digits alone."""
    return query(name, {"type": "integer", "minimum": low, "maximum": high}, text, **more)


def path_id(name: str, text: str) -> Schema:
    schema = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def json_body(schema: Schema, example: Any) -> Schema:
    return {"required": True, "content": {JSON: {"schema": schema, "example": example}}}


def no_body() -> Schema:
    empty = {"type": "object", "additionalProperties": False}
    return {"required": False, "description": NOTHING, "content": {JSON: {"schema": empty}}}


def answer(
    text: str, schema: Schema, example: Any, *, headers: Iterable[str] = (), media: str = JSON
) -> Schema:
    packed = ("Content-Encoding",) if media == JSON else ()
    told = {name: {"$ref": f"#/components/headers/{name}"} for name in (*headers, *packed)}
    content = {media: {"schema": schema, "example": example}}
    return {"description": text, "headers": told, "content": content}


def text_answer(text: str, media: str, *, headers: Iterable[str] = ()) -> Schema:
    told = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return {
        "description": text,
        "headers": told,
        "content": {media: {"schema": {"type": "string"}}},
    }


def moved(text: str) -> Schema:
    """To another page."""
    return {
        "description": text,
        "headers": {"Location": {"$ref": "#/components/headers/Location"}},
        "content": {HTML: {"schema": {"type": "string"}}},
    }


def operation(
    name: str,
    tag: str,
    summary: str,
    *,
    scope: str | None,
    answers: dict[int, Schema],
    parameters: Iterable[Schema] = (),
    body: Schema | None = None,
    errors: Iterable[str] = (),
    text: str = "",
) -> Operation:
    """One operation. errors: codes beside those that its kind always has."""
    codes = [*ALWAYS, *errors, *(WITH_TOKEN if scope else ()), *(WITH_BODY if body else ())]
    found: Operation = {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        "parameters": list(parameters),
        "responses": {str(status): told for status, told in answers.items()} | problems(codes),
        "security": [{"token": [scope]}, {"cookie": [scope]}] if scope else [],
    }
    described = " ".join(filter(None, (text, f"Needs the scope `{scope}`." if scope else "")))
    return found | ({"description": described} if described else {}) | _with_body(body)


def _with_body(body: Schema | None) -> Schema:
    return {} if body is None else {"requestBody": body}


def problems(codes: Iterable[str]) -> dict[str, Schema]:
    """The answers of errors, each status with its codes and an example of each."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(ERRORS[code].status, []).append(code)
    return {str(status): _problem(status, by_status[status]) for status in sorted(by_status)}


def _problem(status: int, codes: list[str]) -> Schema:
    told = {"properties": {"code": {"enum": codes}, "status": {"const": status}}}
    schema = {"allOf": [ref("Problem"), told]}
    named = ["Retry-After"] if status in (429, 503) else []
    named += ["WWW-Authenticate"] if status == 401 else []
    return {
        "description": "; ".join(f"`{code}`: {ERRORS[code].title}" for code in codes),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in named},
        "content": {PROBLEM: {"schema": schema, "examples": {c: _example(c) for c in codes}}},
    }


def _example(code: str) -> Schema:
    declared = ERRORS[code]
    value: dict[str, Any] = {
        "type": "about:blank",
        "title": declared.title,
        "status": declared.status,
        "code": code,
        "detail": declared.title,
    }
    if declared.status in (429, 503):
        value["retry_s"] = 2
    return {"value": value}
