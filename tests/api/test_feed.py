"""What a feed answers when it need not wait: the page, the cursor behind it, and where a log ends."""

from typing import Any

import pytest

from service.events.kinds import Kind, NewEvent
from tests.api.server import ANSWER_MAX_BYTES, problem
from tests.contract import given as the


def seqs(answer: dict[str, Any]) -> list[int]:
    return [event["seq"] for event in answer["events"]]


# What an answer has


def test_a_feed_answers_with_these_keys(server):
    the.make_mission(server.db)
    answer = server.poll(after=1, wait=0)
    assert answer == {
        "feed": answer["feed"],
        "events": [],
        "next": 1,
        "head": 1,
        "oldest": 1,
        "more": False,
        "closed": False,
        "reason": "now",
        "retry_s": 0,
    }
    assert isinstance(answer["feed"], str)
    assert len(answer["feed"]) >= 6


def test_the_feed_of_a_mission_also_has_its_status(server):
    claimed = the.running(server.db)
    everything, one = server.poll(), server.poll(f"/missions/{claimed.mission_id}/events")
    assert one == everything | {"status": "running"}


def test_an_event_has_these_keys(server):
    claimed = the.running(server.db)
    data = {"tool": "read_file", "args": {"name": "notes.md"}}
    there = {"agent": "researcher", "task": "research", "call": "c3"}
    the.record(server.db, claimed, NewEvent(Kind.ACTION, "tool.started", data, **there))
    [event] = server.poll(after=2)["events"]
    assert event == {
        "seq": 3,
        "mission": claimed.mission_id,
        "mseq": 3,
        "attempt": 1,
        "kind": "ACTION",
        "name": "tool.started",
        "at": event["at"],
        "agent": "researcher",
        "task": "research",
        "call": "c3",
        "data": data,
    }
    assert len(event["at"]) == len("2026-11-22T20:00:00.123Z")
    assert event["at"].endswith("Z")


def test_an_event_leaves_out_what_means_nothing(server):
    the.make_mission(server.db)
    [event] = server.poll()["events"]
    assert set(event) == {"seq", "mission", "mseq", "attempt", "kind", "name", "at", "data"}


def test_the_log_counts_all_and_each_mission_for_itself(server):
    first, second = the.running(server.db), the.running(server.db, "worker-2")
    the.record(server.db, first, the.delta())
    events = server.poll()["events"]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["mission"] for event in events] == [first.mission_id] * 2 + [
        second.mission_id
    ] * 2 + [1]
    assert [event["mseq"] for event in events] == [1, 2, 1, 2, 3]


def test_text_arrives_as_it_was_written(server):
    claimed = the.running(server.db)
    text = 'Ünï ☀️ "quoted" \\ </script> \u2028 \x07 \t\n'
    the.record(server.db, claimed, the.delta(text))
    assert server.poll(after=2)["events"][0]["data"]["delta"] == text


# The cursor


def test_following_next_gives_every_event_once(server):
    claimed = the.running(server.db)
    the.record(server.db, claimed, *[the.delta(str(i)) for i in range(50)])
    seen, after, more = [], 0, True
    while more:
        answer = server.poll(after=after, limit=7)
        seen += seqs(answer)
        after, more = answer["next"], answer["more"]
    assert seen == list(range(1, 53))


def test_next_advances_over_what_the_filter_left_out(server):
    claimed = the.running(server.db)
    the.record(server.db, claimed, the.delta(), the.delta())
    answer = server.poll(after=0, wait=0, kind="STATUS")
    assert (seqs(answer), answer["next"], answer["more"]) == ([1, 2], 4, False)
    nothing = server.poll(after=2, wait=0, kind="ERROR")
    assert (seqs(nothing), nothing["next"], nothing["head"]) == ([], 4, 4)


def test_next_advances_over_other_missions(server):
    first = the.make_mission(server.db)
    the.make_mission(server.db)
    answer = server.poll(after=0, wait=0, mission=first)
    assert (seqs(answer), answer["next"], answer["more"]) == ([1], 2, False)


def test_a_full_page_ends_at_its_last_event(server):
    claimed = the.running(server.db)
    the.record(server.db, claimed, the.delta(), the.delta())
    answer = server.poll(after=0, limit=2)
    assert (seqs(answer), answer["next"], answer["head"], answer["more"]) == ([1, 2], 2, 4, True)


def test_a_filtered_scan_goes_all_the_way_to_the_one_event_it_finds(server):
    claimed = the.running(server.db)
    for _ in range(13):
        the.record(server.db, claimed, *[the.delta() for _ in range(900)])
    the.record(server.db, claimed, the.usage(1, 1))
    answer = server.poll(after=2, wait=0, kind="USAGE")
    assert (seqs(answer), answer["next"]) == ([answer["head"]], answer["head"])
    assert server.poll(after=2, wait=0, kind="ERROR")["next"] == answer["head"]


def test_now_is_the_end_of_the_log(server):
    the.running(server.db)
    answer = server.poll(after="now", wait=0)
    assert (answer["events"], answer["next"], answer["head"]) == ([], 2, 2)


def test_the_newest_of_one_mission_are_its_own(server):
    claimed = the.running(server.db)
    the.make_mission(server.db)
    answer = server.poll(f"/missions/{claimed.mission_id}/events", after=-1)
    assert (seqs(answer), answer["next"]) == ([2], 3)


def test_a_cursor_beyond_the_end_is_gone_and_tells_where_the_log_stands(server):
    the.make_mission(server.db)
    body = problem(server.get("/events?after=2"), 410, "cursor_ahead")
    assert (body["head"], body["oldest"], body["feed"]) == (1, 1, server.poll()["feed"])


@pytest.mark.parametrize("query", ["after=0", "after=1", "", "after=0&kind=ERROR"])
def test_a_cursor_before_the_oldest_event_is_gone(server, query):
    the.running(server.db)
    the.running(server.db)
    server.forget(oldest=3)
    body = problem(server.get(f"/events?{query}"), 410, "cursor_expired")
    assert (body["head"], body["oldest"]) == (4, 3)
    assert body["feed"] == server.poll(after=2)["feed"]


def test_the_cursor_just_before_the_oldest_event_still_serves(server):
    the.running(server.db)
    server.forget(oldest=2)
    assert (seqs(server.poll(after=1)), server.poll(after=1)["oldest"]) == ([2], 2)
    assert seqs(server.poll(after=-500)) == [2]


# Sizes


def test_a_page_ends_before_a_mebibyte(server):
    claimed = the.running(server.db)
    the.record(server.db, claimed, *[the.delta("ü" * 50_000) for _ in range(20)])
    seen, after, more = [], 2, True
    while more:
        response = server.get("/events", {"after": after})
        assert len(response.data) < ANSWER_MAX_BYTES
        answer = response.get_json()
        assert answer["events"]
        seen += seqs(answer)
        after, more = answer["next"], answer["more"]
    assert seen == list(range(3, 23))


def test_a_page_has_an_event_however_large_that_is(server):
    claimed = the.running(server.db)
    the.record(server.db, claimed, the.delta("\x01" * 2_000_000))
    answer = server.poll(after=2, limit=1)
    assert seqs(answer) == [3]
    assert answer["events"][0]["data"]["truncated"] is True


# The end of a mission


@pytest.mark.parametrize("kind", ["STATUS", "-STATUS", "STREAM", "ERROR"])
def test_a_feed_is_closed_when_it_reaches_the_end_of_its_mission(server, kind):
    claimed = the.running(server.db)
    the.record(server.db, claimed, the.delta())
    path = f"/missions/{claimed.mission_id}/events"
    assert server.poll(path, after=0, wait=0, kind=kind)["closed"] is False
    the.complete(server.db, claimed)
    the.make_mission(server.db)
    answer = server.poll(path, after=0, kind=kind)
    assert (answer["closed"], answer["status"]) == (True, "completed")
    assert answer["reason"] == ("events" if answer["events"] else "closed")


def test_behind_its_end_a_feed_is_closed_at_once(server):
    claimed = the.running(server.db)
    the.complete(server.db, claimed)
    for after in (server.poll()["head"], "now"):
        answer = server.poll(f"/missions/{claimed.mission_id}/events", after=after, wait=20)
        assert (answer["closed"], answer["reason"], answer["events"]) == (True, "closed", [])


def test_a_page_before_the_last_event_is_not_closed(server):
    claimed = the.running(server.db)
    the.complete(server.db, claimed)
    path = f"/missions/{claimed.mission_id}/events"
    first = server.poll(path, after=0, limit=4)
    assert (first["closed"], first["status"], first["more"]) == (False, "completed", True)
    last = server.poll(path, after=first["next"])
    assert (last["closed"], last["events"][-1]["name"]) == (True, "mission.completed")


def test_the_feed_of_all_missions_never_closes(server):
    mission_id = the.make_mission(server.db)
    the.cancel(server.db, mission_id)
    answer = server.poll(after=0, mission=mission_id)
    assert answer["events"][-1]["name"] == "mission.cancelled"
    assert answer["closed"] is False
    assert "status" not in answer


def test_an_unknown_mission_has_no_feed(server):
    for path in (
        "/missions/1/events",
        "/missions/999999999999999/events",
        "/missions/9999999999999999/events",
    ):
        problem(server.get(path), 404, "not_found")


# Workspaces


def test_each_workspace_has_a_log_of_its_own(server):
    elsewhere = the.make_workspace(server.db, "elsewhere")
    the.make_mission(server.db, elsewhere)
    ours, theirs = server.token("read"), server.token("read", workspace="elsewhere")
    mine = server.get("/events", headers=ours).get_json()
    other = server.get("/events", headers=theirs).get_json()
    assert (mine["head"], seqs(other)) == (0, [1])
    assert mine["feed"] != other["feed"]


def test_another_workspace_s_mission_is_not_found(server):
    foreign = the.make_mission(server.db, the.make_workspace(server.db, "elsewhere"))
    for path in (f"/events?mission={foreign}", f"/missions/{foreign}/events"):
        problem(server.get(path), 404, "not_found")
