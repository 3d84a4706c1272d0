"""Who waits where: a client between two polls keeps its place in the room, and is let back in without a look."""

import pytest

from service.events.log import Head, Stored
from service.feed.cursor import Filter
from service.feed.waiters import Place, Room, Waiters

OURS, OTHER = 7, 8
NEVER = 1e9


class Client(Place):
    """Notes what it gets."""

    def answered(self, answer) -> None:
        self.waits = False

    def time_is_over(self) -> None:
        raise AssertionError


@pytest.fixture
def waiters():
    made = Waiters()
    yield made
    made.deadlines.close()


@pytest.fixture
def room(waiters) -> Room:
    made = waiters.rooms[1] = Room()
    made.begin(Head("feed", 10, 1, access=3))
    made.access = 3
    return made


@pytest.fixture
def place(waiters, room) -> Client:
    """Has stood in the room at its head, was answered, and is about to ask again."""
    made = Client(Filter(1, mission=OURS), None)
    made.after = 10
    assert waiters.enter(made, NEVER)
    made.checked = 3
    room.join(made)
    waiters.answer(made, None)
    return made


def moves_on(room: Room, mission: int) -> None:
    """An event of a mission, as a look leaves the room."""
    seq = room.log.head + 1
    room.tail.extend([Stored(seq, mission, "STREAM", "{}")], seq)
    room.log = Head("feed", seq, 1, access=3)


def test_who_has_seen_all_is_back_without_a_look(waiters, room, place):
    assert not waiters.enter(place, NEVER)
    assert place.stands


def test_what_was_of_others_needs_no_look_either(waiters, room, place):
    moves_on(room, OTHER)
    assert not waiters.enter(place, NEVER)
    assert place.stands
    assert place.after == 11


def test_who_has_missed_something_is_looked_after(waiters, room, place):
    moves_on(room, OURS)
    moves_on(room, OTHER)
    assert waiters.enter(place, NEVER)
    assert not place.stands
    assert place.after == 10


def test_who_stands_further_back_than_memory_reaches_is_looked_after(waiters, room, place):
    place.after = 9
    assert waiters.enter(place, NEVER)


def test_where_somebodys_access_has_changed_since_one_is_looked_after(waiters, room, place):
    room.log = Head("feed", 10, 1, access=4)
    assert waiters.enter(place, NEVER)


def test_a_group_that_nobody_came_back_to_is_forgotten(waiters, room, place):
    group = place.group
    waiters.tidy()
    assert group.room is None
    assert not waiters.rooms
    assert waiters.enter(place, NEVER)
    assert waiters.count == 1


def test_the_first_back_brings_the_missions_status(waiters, room, place):
    place.status = "completed"
    assert not waiters.enter(place, NEVER)
    assert place.group.status == "completed"
