"""Whether an answer fits its question; if not, Problem invalid with a JSON pointer to the fault."""

from typing import Any

from jsonschema import Draft202012Validator
from referencing.jsonschema import EMPTY_REGISTRY
from sqlalchemy import Row

from service.errors import Problem
from service.events.text import decode, encode

MAX_ANSWER_BYTES = 100_000  # it goes into an event and into a model's prompt
DECISIONS = ("approve", "edit", "reject")


def check(request: Row[Any], value: Any) -> None:
    """request: the row of a pending request. value: the answer, any JSON value."""
    if len(encode(value).encode()) > MAX_ANSWER_BYTES:
        raise _misfit("/answer", f"the answer may have {MAX_ANSWER_BYTES} bytes at most")
    match request.type:
        case "text":
            _check_text(value)
        case "choice":
            _check_choice(decode(request.options) or [], value)
        case "approval":
            _check_approval(value)
        case "form":
            _check_form(decode(request.schema) or {}, value)


def _check_text(value: Any) -> None:
    if not isinstance(value, str):
        raise _misfit("/answer", "the answer must be a string")


def _check_choice(options: list[str], value: Any) -> None:
    if value not in options:
        raise _misfit("/answer", f"the answer must be one of {', '.join(options)}")


def _check_approval(value: Any) -> None:
    if not isinstance(value, dict):
        raise _misfit("/answer", 'the answer must be an object like {"decision": "approve"}')
    for key in value:
        if key not in ("decision", "args", "comment"):
            raise _misfit(_pointer("answer", key), "an approval has decision, args and comment")
    if value.get("decision") not in DECISIONS:
        raise _misfit("/answer/decision", f"the decision must be one of {', '.join(DECISIONS)}")
    if not isinstance(value.get("args", {}), dict):
        raise _misfit("/answer/args", "the arguments must be an object")
    if value["decision"] == "edit" and "args" not in value:
        raise _misfit("/answer/args", "an edit needs the arguments to use")
    if not isinstance(value.get("comment", ""), str):
        raise _misfit("/answer/comment", "the comment must be a string")


def _check_form(schema: dict[str, Any], value: Any) -> None:
    # The empty registry: without it, a $ref to another host would be fetched.
    validator = Draft202012Validator(schema, registry=EMPTY_REGISTRY)
    error = next(iter(validator.iter_errors(value)), None)
    if error is not None:
        raise _misfit(_pointer("answer", *error.absolute_path), error.message)


def _pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _misfit(pointer: str, detail: str) -> Problem:
    return Problem("invalid", detail, errors=[{"pointer": pointer, "detail": detail}])
