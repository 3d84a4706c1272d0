"""Which requests need no parsing though their connection is new: those that an answer led to, as often."""

import pytest

from service.events.log import Head
from service.feed.cursor import Filter
from service.feed.known import CURSORS_MAX, KnownRequests
from service.feed.page import Page
from service.feed.repeat import Repeat
from service.feed.template import Template
from service.feed.waiters import Place

REQUEST = b"GET /events?after=%d&wait=20 HTTP/1.0\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n"
EXPIRES = 100.0


@pytest.fixture
def known() -> KnownRequests:
    return KnownRequests()


@pytest.fixture
def template() -> Template:
    return Template(b"", True, False, True, 20.0, b"", Repeat.of(REQUEST % 5))


@pytest.fixture
def place() -> Place:
    made = Place(Filter(1), "token")
    made.checked = 3
    return made


def page_to(cursor: int, *, closed: bool = False) -> Page:
    return Page(Head("feed", cursor, 1), (), cursor, None, closed)


def test_an_answers_reader_is_known_when_he_comes_back(known, template, place):
    known.answered(place, template, page_to(7), EXPIRES)
    found, page = known.find(REQUEST % 7, 0.0)
    assert (found.template, found.holder, found.checked, page.next) == (template, "token", 3, 7)


def test_as_many_may_come_as_were_answered(known, template, place):
    for _ in range(2):
        known.answered(place, template, page_to(7), EXPIRES)
    assert known.find(REQUEST % 7, 0.0)
    assert known.find(REQUEST % 7, 0.0)
    assert known.find(REQUEST % 7, 0.0) is None


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST % 8,
        (REQUEST % 7).replace(b"Bearer x", b"Bearer y"),
        (REQUEST % 7)[:-1],
        (REQUEST % 7) + b"G",
        (REQUEST % 7).replace(b"after=7", b"after=7&client=c"),
        (REQUEST % 7).replace(b"after=7", b"after=+7"),
        b"",
    ],
)
def test_whatever_differs_is_parsed(known, template, place, request_):
    known.answered(place, template, page_to(7), EXPIRES)
    assert known.find(request_, 0.0) is None


def test_what_is_old_is_parsed(known, template, place):
    known.answered(place, template, page_to(7), EXPIRES)
    assert known.find(REQUEST % 7, EXPIRES) is None


def test_behind_the_end_of_a_mission_nobody_waits(known, template, place):
    known.answered(place, template, page_to(7, closed=True), EXPIRES)
    assert known.find(REQUEST % 7, 0.0) is None


def test_the_oldest_cursors_are_forgotten(known, template, place):
    for cursor in range(CURSORS_MAX + 1):
        known.answered(place, template, page_to(cursor), EXPIRES)
    assert known.find(REQUEST % 0, 0.0) is None
    assert known.find(REQUEST % CURSORS_MAX, 0.0)
