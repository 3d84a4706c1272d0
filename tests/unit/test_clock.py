"""Times: milliseconds inside, RFC 3339 outside."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import clock

YEAR_9999_MS = 253_402_300_799_999


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_795_377_600_123, "2026-11-22T20:00:00.123Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (YEAR_9999_MS, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_is_utc_with_milliseconds(ms, text):
    assert clock.rfc3339(ms) == text


@settings(derandomize=True, deadline=None)
@given(ms=st.integers(0, YEAR_9999_MS))
def test_a_time_loses_nothing_on_its_way_out(ms):
    moment = datetime.fromisoformat(clock.rfc3339(ms))
    assert moment.tzinfo == UTC
    assert (int(moment.timestamp()), moment.microsecond // 1000) == divmod(ms, 1000)


def test_times_sort_as_text():
    texts = [clock.rfc3339(ms) for ms in (0, 999, 1_000, 60_000, 1_795_377_600_123)]
    assert texts == sorted(texts)


def test_no_time_is_none():
    assert clock.rfc3339_or_none(None) is None
    assert clock.rfc3339_or_none(0) == "1970-01-01T00:00:00.000Z"


def test_now_is_the_wall_clock():
    assert abs(clock.now_ms() - datetime.now(UTC).timestamp() * 1000) < 1000
