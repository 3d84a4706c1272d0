"""JSON values out of anything: bounded, and always values that JSON has."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from service.agents.values import TEXT_MAX, jsonable, shortened


class Point(BaseModel):
    x: int


class Unfriendly:
    def __str__(self) -> str:
        return "unfriendly"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
)


@settings(max_examples=50)
@given(ANYTHING)
def test_whatever_comes_is_json_that_utf8_can_hold(value: Any) -> None:
    json.dumps(jsonable(value), ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Point(x=1), {"x": 1}),
        ((1, 2), [1, 2]),
        (math.nan, "nan"),
        (2**60, str(2**60)),
        ({1: "a"}, {"1": "a"}),
        (Unfriendly(), "unfriendly"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01 00:00:00+00:00"),
        ("\ud83d\udc22", "🐢"),
    ],
)
def test_what_json_does_not_know_becomes_what_it_knows(value: Any, expected: Any) -> None:
    assert jsonable(value) == expected


def test_a_long_text_says_how_much_is_missing() -> None:
    text = shortened("x" * (TEXT_MAX + 10))
    assert text.endswith("… [10 more characters]")


def test_a_secret_at_the_cut_goes_as_a_whole() -> None:
    secret = "sk-" + "s3cr3t" * 8
    for before in range(1, len(secret)):
        text = "key: ".rjust(200 - before, ".") + secret + " and more"
        assert (
            shortened(text, 200)
            == f"{text[: 200 - before]} … [{len(text) - 200 + before} more characters]"
        )


def test_depth_and_length_are_bounded() -> None:
    deep: Any = "bottom"
    for _ in range(2000):
        deep = [deep]
    assert len(json.dumps(jsonable(deep))) < TEXT_MAX * 2
    assert len(jsonable(list(range(10_000)))) == 201
    assert len(jsonable({str(n): n for n in range(10_000)})) == 201
    assert len(jsonable(10**5000)) < 5000
