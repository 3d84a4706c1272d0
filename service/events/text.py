"""Values on their way into the log: repaired, encoded as JSON text, kept to a size that a page can carry."""

from typing import Any

import orjson

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# An answer stays below 1 MiB and always has at least one event, so an event is far smaller.
MAX_DATA_BYTES = 256 * 1024
CUT_CHARS = 16 * 1024  # what a string keeps at most when its event would be too large
MAX_DEPTH = 100  # orjson refuses beyond 254 levels; a tool's arguments may have any number


def repair(text: str) -> str:
    """The text without what a database or a strict JSON parser refuses: lone surrogates, NUL."""
    if "\0" in text:
        text = text.replace("\0", REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A surrogate pair that came as two halves joins here; a lone half is replaced.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def repair_or_none(text: str | None) -> str | None:
    return None if text is None else repair(text)


def encode(value: Any) -> str:
    """JSON text of a value, whatever it holds: repaired where needed, NaN as null, the too deep as …."""
    try:
        raw = orjson.dumps(value)
    except TypeError:
        raw = None
    if raw is None or b"\\u0000" in raw:
        raw = orjson.dumps(_repaired(value, MAX_DEPTH))
    return raw.decode()


def encode_bounded(value: dict[str, Any]) -> str:
    """As `encode`, with long strings cut and `"truncated": true` added when it would be too large."""
    text = encode(value)
    if len(text) * 4 <= MAX_DATA_BYTES or len(text.encode()) <= MAX_DATA_BYTES:
        return text
    cut = encode({**_cut(decode(text), CUT_CHARS), "truncated": True})
    if len(cut.encode()) <= MAX_DATA_BYTES:
        return cut
    return encode({"truncated": True, "preview": text[:CUT_CHARS]})


def decode(text: str | None) -> Any:
    """The value of stored JSON text; None for None."""
    return None if text is None else orjson.loads(text)


def _repaired(value: Any, depth: int) -> Any:
    match value:
        case str():
            return repair(value)
        case dict() | list() | tuple() if depth == 0:
            return "…"
        case dict():
            return {repair(str(key)): _repaired(item, depth - 1) for key, item in value.items()}
        case list() | tuple():
            return [_repaired(item, depth - 1) for item in value]
        case bool() | None:
            return value
        case float():
            return float(value)  # numpy's are floats by type, and orjson refuses them
        case int() if -(2**63) <= value < 2**63:
            return value
    return repair(str(value))


def _cut(value: Any, chars: int) -> Any:
    match value:
        case str():
            return value if len(value) <= chars else value[:chars] + "…"
        case dict():
            return {key: _cut(item, chars) for key, item in value.items()}
        case list():
            return [_cut(item, chars) for item in value]
    return value
