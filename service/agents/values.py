"""JSON values out of whatever a framework hands over: bounded, whole, and fit for UTF-8."""

import math
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from service.events.text import repair

TEXT_MAX = 32_768  # characters of one string: an event stays far below the 1 MiB of a page
ITEMS_MAX = 200  # of one list or object
DEPTH_MAX = 8
CONTAINERS = (Mapping, list, tuple, set, frozenset)
WORD_MAX = 512  # what is longer is no secret of anybody's
WORD_AT_END = re.compile(r"""[\s"',;<>(){}\[\]]([^\s"',;<>(){}\[\]]+)\Z""")
INTEGER_MAX = 2**53  # beyond it JavaScript rounds


def shortened(text: str, limit: int = TEXT_MAX) -> str:
    """The text, or its beginning with a mark that says how much is missing."""
    text = repair(text)
    if len(text) <= limit:
        return text
    kept = _without_cut_word(text[:limit])
    return f"{kept} … [{len(text) - len(kept)} more characters]"


def _without_cut_word(text: str) -> str:
    """Half a secret would not be known for one any more, so a word at the cut goes as a whole."""
    tail = text[-WORD_MAX:]
    word = WORD_AT_END.search(tail)
    return text if word is None else text[: len(text) - len(tail) + word.start(1)]


def jsonable(value: Any, *, text_max: int = TEXT_MAX, depth: int = DEPTH_MAX) -> Any:
    """The value as JSON values; what JSON does not know becomes a string."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return shortened(value, text_max)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if not isinstance(value, CONTAINERS):
        return shortened(str(value), text_max)
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return _object(value, text_max, depth - 1)
    return _array(list(value), text_max, depth - 1)


def _number(value: int | float) -> Any:
    exact = math.isfinite(value) if isinstance(value, float) else abs(value) <= INTEGER_MAX
    return value if exact else shortened(_digits(value))


def _digits(value: int | float) -> str:
    # str() refuses integers of more than 4300 digits.
    return str(value) if isinstance(value, float) or value.bit_length() < 4096 else hex(value)


def _object(value: Mapping[Any, Any], text_max: int, depth: int) -> dict[str, Any]:
    items = list(value.items())
    found = {
        shortened(str(key), text_max): jsonable(item, text_max=text_max, depth=depth)
        for key, item in items[:ITEMS_MAX]
    }
    if len(items) > ITEMS_MAX:
        found["…"] = f"[{len(items) - ITEMS_MAX} more]"
    return found


def _array(items: list[Any], text_max: int, depth: int) -> list[Any]:
    found = [jsonable(item, text_max=text_max, depth=depth) for item in items[:ITEMS_MAX]]
    if len(items) > ITEMS_MAX:
        found.append(f"… [{len(items) - ITEMS_MAX} more]")
    return found
