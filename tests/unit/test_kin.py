"""Which first polls need no parsing: who differs from a parsed one in numbers, and may read all."""

from dataclasses import replace

import pytest

from service.feed import kin
from service.feed.cursor import Filter
from service.feed.kin import Families, Family
from service.feed.repeat import Repeat
from service.feed.template import Template
from service.feed.waiters import Admission

HEADERS = b"HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n"
REQUEST = b"GET /missions/7/events?after=5&wait=20 " + HEADERS
ALL = b"GET /events?after=5&wait=20 " + HEADERS
EXPIRES = 100.0


@pytest.fixture
def families() -> Families:
    return Families()


def family(request: bytes = REQUEST, mission: int | None = 7, wait_s: float = 20.0) -> Family:
    template = Template(b"", True, False, False, wait_s, b"", Repeat.of(request))
    wanted = Filter(1, mission, kinds=("OUTPUT",))
    return Family(template, wanted, "token", Admission("feed", 3), EXPIRES)


def test_another_mission_and_another_cursor_are_kin(families):
    families.learn(family(), any_mission=True)
    found = families.find(REQUEST.replace(b"/7/", b"/12/").replace(b"=5", b"=345"), 0.0)
    assert found is not None
    assert (found.filter, found.after) == (Filter(1, 12, kinds=("OUTPUT",)), 345)
    assert found.family.holder == "token"


def test_what_kin_have_in_common_is_there_once(families):
    families.learn(family(), any_mission=True)
    one, two = (families.find(REQUEST.replace(b"/7/", b"/%d/" % n), 0.0) for n in (8, 9))
    assert one.repeat.behind is two.repeat.behind
    assert one.repeat.cursor_in(REQUEST.replace(b"/7/", b"/8/")) == 5


def test_the_text_of_client_may_be_any(families):
    request = REQUEST.replace(b"after=5", b"client=one&after=5")
    families.learn(family(request), any_mission=True)
    assert families.find(request.replace(b"one", b"two"), 0.0)
    assert families.find(REQUEST, 0.0) is None


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST.replace(b"Bearer x", b"Bearer y"),
        REQUEST.replace(b"wait=20", b"wait=21"),
        REQUEST.replace(b"/7/", b"//7/"),
        REQUEST.replace(b"/7/", b"/+7/"),
        REQUEST.replace(b"/7/", b"/7777777777777777/"),
        REQUEST.replace(b"/7/events", b"/7"),
        REQUEST.replace(b"/missions/7", b""),
        REQUEST.replace(b"GET", b"PUT"),
        REQUEST.replace(b"after=5", b"after=now"),
        REQUEST.replace(b"after=5", b"after=5&after=6"),
        REQUEST[:-1],
        REQUEST[:30],
        REQUEST + b"G",
        b"",
    ],
)
def test_whatever_else_differs_is_parsed(families, request_):
    families.learn(family(), any_mission=True)
    assert families.find(request_, 0.0) is None


def test_what_is_old_is_parsed(families):
    families.learn(family(), any_mission=True)
    assert families.find(REQUEST, EXPIRES) is None


def test_of_who_may_read_one_mission_no_other_is_known(families):
    """A share link's token opens what it was made for."""
    families.learn(family(), any_mission=False)
    assert families.find(REQUEST.replace(b"/7/", b"/12/"), 0.0) is None


def test_the_whole_log_has_no_mission_in_its_path(families):
    families.learn(family(ALL, None), any_mission=True)
    found = families.find(ALL.replace(b"=5", b"=6"), 0.0)
    assert found is not None
    assert (found.filter.mission, found.after) == (None, 6)


def test_who_waits_for_a_moment_is_parsed(families):
    """Such a client comes back so often that the limits have to see it."""
    families.learn(family(wait_s=0.5), any_mission=True)
    assert families.find(REQUEST, 0.0) is None


def test_the_oldest_families_are_forgotten(families, monkeypatch):
    monkeypatch.setattr(kin, "FAMILIES_MAX", 2)
    requests = [REQUEST.replace(b"Bearer x", b"Bearer %d" % n) for n in range(3)]
    for request in (*requests[:2], requests[0], requests[2]):
        families.learn(replace(family(request)), any_mission=True)
    assert [families.find(request, 0.0) is not None for request in requests] == [True, False, True]
