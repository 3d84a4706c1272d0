"""Text on its way into the log: repaired, encoded, kept to a size."""

import math
from enum import StrEnum
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.events.text import (
    CUT_CHARS,
    MAX_DATA_BYTES,
    decode,
    encode,
    encode_bounded,
    repair,
    repair_or_none,
)

FIXED = settings(derandomize=True, deadline=None, max_examples=200)
ANY_TEXT = st.text(st.characters())
LONE = st.text(st.characters(categories=["Cs", "Ll"]))


class Number(float):
    """As numpy's are: a float that orjson does not take for one."""


class Colour(StrEnum):
    RED = "red"


@FIXED
@given(text=ANY_TEXT | LONE)
def test_repaired_text_is_valid_and_repairing_again_changes_nothing(text):
    repaired = repair(text)
    assert "\0" not in repaired
    assert repaired.encode().decode() == repaired
    assert repair(repaired) == repaired


@FIXED
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_valid_text_is_left_alone(text):
    assert repair(text) is text


@FIXED
@given(text=LONE)
def test_repair_touches_only_what_is_broken(text):
    kept = [c for c in text if not "\ud800" <= c <= "\udfff"]
    assert [c for c in repair(text) if c.isalpha()] == kept


@pytest.mark.parametrize("text", ["\U0001f600", "a\U00010000b", "\ufeffbom", "\U0010ffff"])
def test_halves_of_a_pair_join(text):
    halves = text.encode("utf-16-le").decode("utf-16-le")
    split = "".join(
        chr(unit)
        for unit in memoryview(text.encode("utf-16-le")).cast("H")  # as JavaScript counts
    )
    assert repair(split) == halves == text


def test_nothing_stays_nothing():
    assert repair_or_none(None) is None
    assert decode(None) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": math.nan, "b": [math.inf, -math.inf]}, {"a": None, "b": [None, None]}),
        (2**64, str(2**64)),
        (-(2**63), -(2**63)),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "(1, 2)": "c"}),
        ((1, (2, [3])), [1, [2, [3]]]),
        (b"\xff", "b'\\xff'"),
        ({"set": {1}}, {"set": "{1}"}),
        ([Number(1.5), "\ud800"], [1.5, "\ufffd"]),
        ([Colour.RED, "\ud800"], ["red", "\ufffd"]),
        ("backslash \\u0000 as text", "backslash \\u0000 as text"),
        ({"\0": "\0"}, {"\ufffd": "\ufffd"}),
        ([True, 1, None], [True, 1, None]),
    ],
)
def test_every_value_has_a_json_text(value, expected):
    assert decode(encode(value)) == expected


def nested(levels: int) -> Any:
    value: Any = "core"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [300, 5_000])
def test_the_too_deep_is_cut_off(levels):
    value = decode(encode({"deep": nested(levels), "flat": 1}))
    assert value["flat"] == 1
    assert "core" not in str(value)


def test_depth_that_json_readers_take_is_kept():
    assert decode(encode(nested(200))) == nested(200)


def test_small_data_is_not_bounded():
    data = {"text": "é" * 1000}
    assert encode_bounded(data) == encode(data)


@pytest.mark.parametrize(
    "data",
    [
        {"text": "x" * MAX_DATA_BYTES},
        {"text": "\U0001f600" * MAX_DATA_BYTES},
        {"text": "\1" * MAX_DATA_BYTES},
        {"text": "\ud800" * MAX_DATA_BYTES},
        {"parts": ["x" * 1000] * 1000},
        {"parts": ("x" * CUT_CHARS * 2,) * 30},
        {"k" * MAX_DATA_BYTES: 1},
        {"deep": nested(5_000), "text": "\0" * MAX_DATA_BYTES},
        {str(i): "x" * CUT_CHARS * 2 for i in range(100)},
    ],
)
def test_no_data_is_larger_than_a_page_can_carry(data):
    text = encode_bounded(data)
    assert len(text.encode()) <= MAX_DATA_BYTES
    assert orjson.loads(text)["truncated"] is True


def test_data_at_the_bound_is_whole():
    empty = len(encode({"text": ""}))
    whole = {"text": "x" * (MAX_DATA_BYTES - empty)}
    assert decode(encode_bounded(whole)) == whole
    assert "truncated" in decode(encode_bounded({"text": whole["text"] + "x"}))


def test_what_is_short_survives_the_cut():
    data = {"tool": "read_file", "args": {"n": [1, None]}, "output": "x" * MAX_DATA_BYTES}
    cut = decode(encode_bounded(data))
    assert (cut["tool"], cut["args"]) == ("read_file", {"n": [1, None]})
    assert cut["output"] == "x" * CUT_CHARS + "…"
