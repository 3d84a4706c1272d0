"""Deadlines of very many: each is kept, and those that were dropped cost nothing."""

import time

import gevent
import pytest

from service.feed.deadlines import Deadlines


class Item:
    def __init__(self) -> None:
        self.slot = 0
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
