"""The end of an attempt's time, and what a human's answer makes of it."""

import multiprocessing
import threading

import pytest

from service.agents.context import Interrupted
from service.worker.deadline import Deadline


def asked_at_once(more) -> Deadline:
    """A deadline whose seconds are over, when `more` was asked."""
    deadline = Deadline(multiprocessing.get_context("forkserver"))
    deadline.set(0.0, asked=True)
    asked = threading.Event()

    def ask(seconds):
        if asked.is_set():
            raise Interrupted
        asked.set()
        return more(seconds)

    deadline.keep_asking(0.0, ask)
    for thread in threading.enumerate():
        if thread.name == "deadline":
            thread.join(60)
    return deadline


def interrupt(_seconds):
    raise Interrupted


def test_who_allows_no_more_time_ends_the_attempt():
    assert asked_at_once(lambda _seconds: None).passed


@pytest.mark.parametrize("more", [interrupt, lambda _seconds: 0.01])
def test_an_attempt_that_is_ended_for_another_reason_has_not_run_out_of_time(more):
    """As at a drain: the mission goes on elsewhere, and the question stays open."""
    assert not asked_at_once(more).passed
