"""The feed as a stream: the same events on the same cursor, for an EventSource or line by line."""

import json
import zlib
from typing import Any

import gevent
import pytest

from service.api import streams
from tests.api.server import problem, until
from tests.contract import given as the

SSE, LINES = {"Accept": "text/event-stream"}, {"Accept": "application/x-ndjson"}


class Reading:
    """A stream that somebody reads while it grows."""

    def __init__(self, server: Any, path: str, headers: dict[str, str], **query: Any) -> None:
        self.text = ""
        self.ended = False
        with server.app.test_client(use_cookies=False) as client:
            self.response = client.get(path, headers=headers, query_string=query)
        self._reader = gevent.spawn(self._read)

    def _read(self) -> None:
        for piece in self.response.iter_encoded():
            self.text += piece.decode()
        self.ended = True

    def close(self) -> None:
        self._reader.kill()
        self.response.close()

    def has(self, text: str) -> None:
        until(lambda: text in self.text, what=f"{text} in the stream")

    def ends(self) -> list[dict[str, Any]]:
        until(lambda: self.ended, what="end of the stream")
        return [json.loads(line) for line in self.text.splitlines()]


def frames(text: str) -> list[dict[str, str]]:
    """What an EventSource makes of a text."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block]
    return [dict(line.split(": ", 1) for line in block) for block in blocks]


def test_an_event_source_gets_each_event_under_its_number(server):
    claimed = the.running(server.db)
    stream = Reading(server, "/events", SSE, after=1)
    stream.has('"seq":2')
    the.record(server.db, claimed, the.delta("hello"))
    stream.has("hello")
    assert stream.response.content_type == "text/event-stream; charset=utf-8"
    assert stream.response.headers["X-Accel-Buffering"] == "no"
    events = [frame for frame in frames(stream.text) if "event" not in frame and "id" in frame]
    assert [frame["id"] for frame in events] == ["2", "3"]
    assert [json.loads(frame["data"])["seq"] for frame in events] == [2, 3]
    stream.close()


def test_an_event_source_that_comes_back_goes_on_behind_the_last_id(server):
    the.running(server.db)
    stream = Reading(server, "/events", SSE | {"Last-Event-ID": "1"}, after=0)
    stream.has('"seq":2')
    assert '"seq":1,' not in stream.text
    stream.close()
    bad = server.get("/events", headers=SSE | {"Last-Event-ID": "x"})
    problem(bad, 422, "invalid")


def test_a_bookmark_passes_what_the_filter_left_out(server):
    claimed = the.running(server.db)
    stream = Reading(server, "/events", SSE, after=0, kind="ERROR")
    the.record(server.db, claimed, the.delta())
    stream.has("event: bookmark\nid: 2\n")
    stream.close()


def test_a_quiet_stream_shows_that_it_lives(server, monkeypatch):
    monkeypatch.setattr(streams, "BOOKMARK_S", 0.02)
    stream = Reading(server, "/events", SSE, after=0)
    until(lambda: stream.text.count("event: bookmark") >= 3, what="bookmarks")
    stream.close()


def test_a_stream_ends_by_itself_and_says_where(server, monkeypatch):
    monkeypatch.setattr(streams, "LASTS_FROM_S", 0.1)
    monkeypatch.setattr(streams, "LASTS_TO_S", 0.2)
    the.make_mission(server.db)
    lines = Reading(server, "/events", LINES, after=0).ends()
    assert lines[0]["seq"] == 1
    assert (lines[-1]["end"], lines[-1]["next"], lines[-1]["reason"]) == (True, 1, "timeout")
    assert all(line.get("bookmark") for line in lines[1:-1])


def test_lines_without_waiting_are_the_log_so_far(server):
    claimed = the.running(server.db)
    the.record(server.db, claimed, *[the.delta(str(i)) for i in range(20)])
    lines = Reading(server, "/events", LINES, after=0, wait=0, limit=7).ends()
    assert [line["seq"] for line in lines if "seq" in line] == list(range(1, 23))
    assert (lines[-1]["end"], lines[-1]["next"], lines[-1]["reason"]) == (True, 22, "now")


@pytest.mark.parametrize("headers", [SSE, LINES])
def test_the_end_of_a_mission_ends_its_stream(server, headers):
    claimed = the.running(server.db)
    path = f"/missions/{claimed.mission_id}/events"
    stream = Reading(server, path, headers, after=0)
    stream.has("mission.running")
    the.complete(server.db, claimed)
    until(lambda: stream.ended, what="end of the stream")
    assert "mission.completed" in stream.text
    assert '"closed":true' in stream.text.splitlines()[-1 if headers is LINES else -2]


def test_behind_its_end_an_event_source_is_told_to_stop(server):
    claimed = the.running(server.db)
    the.complete(server.db, claimed)
    path = f"/missions/{claimed.mission_id}/events"
    with server.app.test_client() as client:
        assert client.get(path, headers=SSE, query_string={"after": "now"}).status_code == 204
    [end] = Reading(server, path, LINES, after="now").ends()
    assert (end["end"], end["reason"], end["closed"]) == (True, "closed", True)


def test_a_drain_ends_a_stream(server):
    stream = Reading(server, "/events", LINES, after=0)
    until(lambda: server.feed.held == 1, what="held stream")
    server.feed.drain()
    assert stream.ends()[-1]["reason"] == "drain"


def test_a_stream_takes_what_a_poll_takes_and_refuses_the_same(server):
    problem(server.get("/events?since=1", headers=SSE), 422, "unknown_field")
    problem(server.get("/missions/9/events", headers=LINES), 404, "not_found")
    problem(server.get("/events?after=7", headers=LINES), 410, "cursor_ahead")


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json, text/event-stream;q=0.5", "text/html"]
)
def test_who_does_not_prefer_a_stream_gets_an_answer(server, accept):
    answer = server.get("/events", headers={"Accept": accept})
    assert answer.get_json()["reason"] == "now"


def test_large_json_is_compressed_for_those_who_take_it_and_streams_are_not(server):
    claimed = the.running(server.db)
    the.record(server.db, claimed, *[the.delta("word " * 50) for _ in range(20)])
    gzip = {"Accept-Encoding": "gzip"}
    plain, packed = server.get("/events?after=0"), server.get("/events?after=0", headers=gzip)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 5
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert zlib.decompress(packed.data, 31) == plain.data
    small = server.get("/events?after=20", headers=gzip | {"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in small.headers
    lines = server.app.test_client().get("/events?wait=0", headers=LINES | gzip)
    assert "Content-Encoding" not in lines.headers
    lines.close()
