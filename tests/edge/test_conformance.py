"""What a client meets on a connection that lives on: the same on both edges, request after request."""

import time
import zlib

import pytest

from tests.contract import given as the
from tests.edge.wire import seconds
from tests.processes import until


def test_a_held_poll_is_answered_by_an_event_and_the_next_one_too(site, claimed, head):
    with site.wire() as wire:
        after = head
        for text in ("one", "two", "three", "four"):
            path = f"/events?after={after}&wait=20"
            answer = site.leaves(
                wire, path, lambda text=text: the.record(site.db, claimed, the.delta(text))
            )
            [event] = answer.json["events"]
            assert (event["seq"], event["data"]["delta"]) == (after + 1, text)
            after = answer.json["next"]


def test_every_answer_on_a_connection_has_the_same_head(site, claimed, head):
    """The first one was made by the application, the others from what it said then."""
    with site.wire() as wire:
        heads = []
        for n in range(3):
            path = f"/missions/{claimed.mission_id}/events?after={head + n}&wait=20&client=c{n}"
            answer = site.leaves(
                wire, path, lambda: the.record(site.db, claimed, the.delta("same"))
            )
            status, headers, _ = answer.comparable()
            heads.append((status, [pair for pair in headers if pair[0] != "content-length"]))
        assert heads[0] == heads[1] == heads[2]
        assert ("x-content-type-options", "nosniff") in heads[0][1]
        assert ("cache-control", "no-store") in heads[0][1]


def test_a_held_answer_is_what_a_plain_one_would_be(site, claimed, head):
    with site.wire() as wire, site.wire(**{"Content-Length": "0"}) as other:  # which no edge takes
        path = f"/missions/{claimed.mission_id}/events?after={head}&wait=20"
        held = site.leaves(wire, path, lambda: the.record(site.db, claimed, the.delta("x")))
        assert held.comparable() == other.get(path).comparable()


def test_a_hold_ends_when_the_time_is_over_that_was_asked_for(site, head):
    with site.wire() as wire:
        for _ in ("the first", "its repeat"):
            begin = time.monotonic()
            answer = wire.get(f"/events?after={head}&wait=1")
            assert answer.json["reason"] == "timeout"
            # Asked for is 1, and 20 without; a clock that stands still measures it in tests/api.
            assert 0.85 < seconds(begin) < 10


def test_an_answer_that_is_there_comes_at_once_also_to_a_repeat(site, claimed, head):
    the.record(site.db, claimed, *[the.delta(str(n)) for n in range(6)])
    with site.wire() as wire:
        after, seen = head, []
        while len(seen) < 6:
            answer = wire.get(f"/events?after={after}&wait=20&limit=2").json
            seen += [event["data"]["delta"] for event in answer["events"]]
            after = answer["next"]
        assert seen == [str(n) for n in range(6)]


def test_what_is_no_repeat_goes_the_ordinary_way(site, head):
    with site.wire() as wire:
        wire.get(f"/events?after={head}&wait=1")
        assert wire.get("/healthz").json == {"status": "ok"}
        assert wire.get(f"/events?after={head}&wait=0").json["reason"] == "now"
        assert wire.get(f"/events?after={head + 100}&wait=1").status == 410
        assert wire.get("/events?since=1").status == 422
        assert wire.get("/missions/999999/events").status == 404
        assert wire.get(f"/events?after={head}&wait=1").json["reason"] == "timeout"


def test_a_repeat_in_pieces_is_a_request(site, claimed, head):
    def happens():
        the.record(site.db, claimed, the.delta("x"))

    with site.wire() as wire:
        path = "/events?after={}&wait=20"
        after = site.leaves(wire, path.format(head), happens).json["next"]
        for cut in (1, 4, 40, -1):
            request = wire.request(path.format(after))
            wire.socket.sendall(request[:cut])
            assert wire.is_silent(0.05)
            before = site.held()
            wire.socket.sendall(request[cut:])
            until(lambda: site.held() > before, what="held poll")  # noqa: B023
            happens()
            answer = wire.answer().json
            assert (len(answer["events"]), answer["next"]) == (1, after + 1)
            after += 1


def test_pipelined_requests_are_answered_in_order(site, claimed, head):
    with site.wire() as wire:
        poll = f"/events?after={head}&wait=1"
        wire.send(poll, "/healthz", poll, poll, "/nothing")
        kinds = [wire.answer() for _ in range(5)]
        assert [answer.status for answer in kinds] == [200, 200, 200, 200, 404]
        assert kinds[1].json == {"status": "ok"}
        assert [kinds[n].json["reason"] for n in (0, 2, 3)] == ["timeout"] * 3


def test_nonsense_behind_an_answer_is_refused(site, head):
    with site.wire() as wire:
        wire.get(f"/events?after={head}&wait=1")
        wire.socket.sendall(b"what is this?\r\n\r\n")
        assert wire.socket.recv(100).startswith(b"HTTP/1.1 400")


def test_who_asks_to_close_is_closed(site, head):
    with site.wire(Connection="close") as wire:
        answer = wire.get(f"/events?after={head}&wait=1")
        assert answer.headers["connection"] == "close"
        assert wire.ends()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_who_comes_on_a_connection_of_its_own_each_time_misses_nothing(
    site, claimed, head, version
):
    """As behind nginx with its defaults."""
    after, heads = head, []
    for number in range(5):
        with site.wire(Connection="close") as wire:
            wire.version = version
            path = f"/missions/{claimed.mission_id}/events?after={after}&wait=20"
            text = f"word {number}"
            answer = site.leaves(
                wire, path, lambda text=text: the.record(site.db, claimed, the.delta(text))
            )
            assert wire.ends()
        [event] = answer.json["events"]
        assert (event["seq"], event["data"]["delta"]) == (after + 1, text)
        after = answer.json["next"]
        status, headers, _ = answer.comparable()
        heads.append((status, [pair for pair in headers if pair[0] != "content-length"]))
    assert all(each == heads[0] for each in heads)


def test_who_asks_for_the_same_again_on_other_connections_gets_the_same(site, claimed, head):
    the.record(site.db, claimed, the.delta("one"), the.delta("two"))
    bodies = set()
    for _ in range(4):
        with site.wire(Connection="close") as wire:
            bodies.add(wire.get(f"/events?after={head}&wait=20&limit=1").body)
    assert len(bodies) == 1


def test_a_client_that_leaves_frees_its_place(site, head):
    before = site.held()
    wire = site.wire()
    site.hold(wire, f"/events?after={head}&wait=20")
    wire.socket.close()
    until(lambda: site.held() == before, within_s=15, what="free place")


def test_large_answers_are_packed_for_those_who_take_them(site, claimed, head):
    with site.wire(**{"Accept-Encoding": "gzip"}) as wire, site.wire() as plain:
        after = head
        for _ in range(2):
            path = f"/events?after={after}&wait=20"
            big = [the.delta("many words " * 200)]
            packed = site.leaves(wire, path, lambda big=big: the.record(site.db, claimed, *big))
            assert packed.headers["content-encoding"] == "gzip"
            body = zlib.decompress(packed.body, 31)
            assert body == plain.get(path).body
            after += 1
        small = wire.get(f"/events?after={after}&wait=1")
        assert "content-encoding" not in small.headers


def test_a_client_that_reads_slowly_gets_all_and_holds_nobody_up(site, claimed, head):
    with site.wire() as slow, site.wire() as quick:
        site.hold(slow, f"/events?after={head}&wait=20")
        site.hold(quick, f"/events?after={head}&wait=20")
        with site.db.transaction():
            pass
        the.record(site.db, claimed, *[the.delta("ü" * 9_000) for _ in range(50)])
        fast = quick.answer()
        assert quick.get("/healthz").status == 200
        assert slow.answer().body == fast.body
        assert len(fast.body) > 800_000
        assert slow.get("/healthz").status == 200


def test_the_end_of_a_mission_is_told_and_then_told_again(site, claimed, head):
    path = f"/missions/{claimed.mission_id}/events?after={{}}&wait=20"
    with site.wire() as wire:
        first = site.leaves(wire, path.format(head), lambda: the.complete(site.db, claimed)).json
        assert (first["closed"], first["status"]) == (True, "completed")
        again = wire.get(path.format(first["next"])).json
        assert (again["closed"], again["reason"], again["events"]) == (True, "closed", [])


@pytest.mark.parametrize("given", ["abc-1", "x" * 64])
def test_a_request_id_of_the_client_s_comes_back(site, head, given):
    with site.wire(**{"X-Request-Id": given}) as wire:
        for _ in range(2):
            answer = wire.get(f"/events?after={head}&wait=1")
            assert answer.headers["x-request-id"] == given


def test_polls_are_counted_however_they_were_held(site, head):
    def counted(wire):
        lines = wire.get("/metrics").body.decode().splitlines()
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith("longline_polls_total")
        )

    with site.wire() as wire:
        before = counted(wire)
        for _ in ("the first", "its repeat"):
            wire.get(f"/events?after={head}&wait=1")
        assert counted(wire) == before + 2
