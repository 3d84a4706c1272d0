"""Deadlines of very many: each is kept, and those that were dropped cost nothing."""

import heapq
import time
from types import SimpleNamespace

import gevent
import pytest

from service.feed.deadlines import GRAIN_S, NEVER, Deadlines


class Item:
    def __init__(self) -> None:
        self.slot = 0
        self.due = NEVER
        self.over_at = 0.0

    def time_is_over(self) -> None:
        self.over_at = time.monotonic()


@pytest.fixture
def deadlines():
    made = Deadlines()
    yield made
    made.close()


def test_each_is_called_at_its_time_whatever_the_order(deadlines):
    begin = time.monotonic()
    items = {delay_s: Item() for delay_s in (0.2, 0.05, 0.1, 0.05)}
    for delay_s, item in items.items():
        deadlines.put(item, begin + delay_s)
    while not all(item.over_at for item in items.values()):
        assert time.monotonic() < begin + 30
        gevent.sleep(0.01)
    for delay_s, item in items.items():
        assert item.over_at >= begin + delay_s - 0.01


def test_times_at_which_nobody_is_left_wake_nobody(deadlines, monkeypatch):
    begin, runs = time.monotonic(), []
    run = deadlines._run
    monkeypatch.setattr(deadlines, "_run", lambda: (runs.append(1), run()))
    dropped = [Item() for _ in range(200)]
    for number, item in enumerate(dropped):
        deadlines.put(item, begin + 0.05 + number * 0.003)
    last = Item()
    deadlines.put(last, begin + 0.8)
    for item in dropped:
        deadlines.drop(item)
    while not last.over_at:
        assert time.monotonic() < begin + 30
        gevent.sleep(0.01)
    assert not any(item.over_at for item in dropped)
    assert len(runs) <= 3  # the first one's time had been asked for


def test_who_is_put_off_is_called_then_and_only_then(deadlines):
    begin = time.monotonic()
    item, resting = Item(), Item()
    for each in (item, resting):
        deadlines.put(each, begin + 0.05)
    deadlines.put(item, begin + 0.3)
    deadlines.rest(resting)
    last = Item()
    deadlines.put(last, begin + 0.4)
    while not last.over_at:
        assert time.monotonic() < begin + 30
        gevent.sleep(0.01)
    assert item.over_at >= begin + 0.29
    assert not resting.over_at


def test_who_is_put_earlier_is_called_earlier(deadlines):
    begin = time.monotonic()
    early, late = Item(), Item()
    for each in (early, late):
        deadlines.put(each, begin + 20)
    deadlines.put(early, begin + 0.05)
    while not early.over_at:
        assert time.monotonic() < begin + 15
        gevent.sleep(0.01)
    assert not late.over_at


def test_a_moment_that_floats_put_between_two_grains_comes_all_the_same(deadlines, monkeypatch):
    at = next(
        n * 0.05 for n in range(1, 10_000) if n * 0.05 >= (int(n * 0.05 / GRAIN_S) + 1) * GRAIN_S
    )
    pushed = iter(range(100))  # to go on for ever is what this is about
    monkeypatch.setattr("service.feed.deadlines.time", SimpleNamespace(monotonic=lambda: at))
    monkeypatch.setattr(
        "service.feed.deadlines.heapq",
        SimpleNamespace(
            heappop=heapq.heappop,
            heappush=lambda order, slot: (next(pushed), heapq.heappush(order, slot)),
        ),
    )
    item = Item()
    deadlines.put(item, at)
    deadlines._run()
    assert item.over_at
