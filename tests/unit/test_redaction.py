"""Secrets are blotted out wherever a text is cut: in streamed deltas, in long lines, in files, in JSON."""

import itertools
import os
import time
from multiprocessing import Pipe

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.events.kinds import Kind, NewEvent
from service.security.redaction import MARK, Redactor, Stream
from service.worker.output import LINE_MAX_CHARS, OutputStream
from service.worker.redacting import Redacting

SECRETS = [
    "abcdefgh",
    "cdefghij",
    "abcdefghij",
    "pass word#1\nof two lines",
    "sk-known-key-0123456789",
    "x" * 40,
]
KEYS = [
    *SECRETS,
    "sk-0123456789abcdefghij",
    "sk-proj-" + "a" * 60,
    "ll_0123456789ab_" + "Z" * 43,
    "ghp_" + "a1" * 20,
    "AKIA0123456789ABCDEF",
    "AIza" + "b" * 35,
    "xoxb-0123456789-abc",
    "https://user:secret@host/path",
]
WORDS = [
    "risk-adjusted-return-on-capital",
    "task",
    " ",
    "\n",
    "s",
    ":",
    "://",
    "@",
    "x",
    "é",
    "sk-",
    "A",
    "",
]
pieces = st.lists(st.sampled_from(KEYS + WORDS) | st.text(max_size=5), max_size=12)

redactor = Redactor(SECRETS)


def cut(text: str, places: list[int]) -> list[str]:
    """The text in pieces, cut at these places."""
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def streamed(parts: list[str]) -> str:
    stream = Stream(redactor)
    return "".join([*(stream.take(part) for part in parts), stream.end()])


@pytest.mark.parametrize("key", KEYS)
def test_a_secret_is_blotted_out_wherever_it_is_cut(key):
    text = f"It is {key} and no other."
    whole = redactor.text(text)
    assert MARK in whole
    assert key not in whole
    for i in range(len(text)):
        for j in range(i, len(text)):
            assert streamed([text[:i], text[i:j], text[j:]]) == whole
    assert streamed(list(text)) == whole


@given(pieces, st.lists(st.integers(0, 10_000), max_size=20))
@settings(max_examples=250, deadline=None, derandomize=True)
def test_a_text_in_pieces_is_redacted_as_the_whole_of_it(parts, places):
    text = "".join(parts)
    assert streamed(cut(text, places)) == redactor.text(text)


@given(pieces)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_what_is_redacted_holds_no_known_secret_and_stays_as_it_is(parts):
    once = redactor.text("".join(parts))
    assert not [secret for secret in SECRETS if secret in once.replace(MARK, "\0")]
    assert redactor.value({"a": ["".join(parts)]}) == {"a": [once]}


@pytest.mark.parametrize(
    "text", ["task-force-on-quarterly-returns", "risk-adjusted-return-on-capital"]
)
def test_an_ordinary_word_is_no_key_wherever_it_is_cut(text):
    assert {streamed([text[:i], text[i:]]) for i in range(len(text))} == {text}


def test_words_come_at_once_and_only_what_may_begin_a_secret_waits():
    stream = Stream(redactor)
    assert [stream.take(piece) for piece in ("Heat ", "of", " the", " abcd", "e", "!")] == [
        "Heat ", "of", " the", " ", "", "abcde!"
    ]  # fmt: skip


def test_what_is_longer_than_any_key_is_not_held_for_ever():
    stream = Stream(redactor)
    came = stream.take("sk-" + "a" * 10_000)
    assert came == MARK


# Events


def delta(text: str, call: str = "c1", name: str = "text") -> NewEvent:
    return NewEvent(Kind.STREAM, name, {"delta": text}, "writer", "draft", call)


def texts(events: list[NewEvent]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for event in events:
        if event.kind is Kind.STREAM:
            key = f"{event.call} {event.name}"
            joined[key] = joined.get(key, "") + event.data["delta"]
    return joined


@given(pieces, pieces, st.lists(st.integers(0, 10_000), max_size=12), st.data())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_calls_that_speak_at_once_are_redacted_each_by_itself(first, second, places, data):
    waiting = {"c1": cut("".join(first), places), "c2": cut("".join(second), places)}
    redacting, events = Redacting(redactor), []
    while any(waiting.values()):
        call = data.draw(st.sampled_from([call for call, parts in waiting.items() if parts]))
        events += redacting.passed(delta(waiting[call].pop(0), call))
        events += redacting.passed(NewEvent(Kind.LOG, "log", {"line": "abcdefgh"}))
    for call in ("c1", "c2"):
        events += redacting.passed(NewEvent(Kind.ACTION, "llm.finished", {}, call=call))
    assert redacting.rest() == []
    expected = {"c1 text": "".join(first), "c2 text": "".join(second)}
    assert texts(events) == {k: redactor.text(text) for k, text in expected.items() if text}
    assert {e.data["line"] for e in events if e.kind is Kind.LOG} <= {MARK}


@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (NewEvent(Kind.ACTION, "llm.finished", {}, call="c1"), True),
        (NewEvent(Kind.ACTION, "llm.started", {}, call="c2"), False),
        (NewEvent(Kind.STATUS, "task.completed", {}, task="draft"), True),
        (NewEvent(Kind.STATUS, "task.completed", {}, task="other"), False),
        (NewEvent(Kind.OUTPUT, "final", {}), True),
        (NewEvent(Kind.LOG, "log", {"line": ""}), False),
    ],
)
def test_what_was_held_back_comes_before_the_end_of_its_call(event, ends):
    redacting = Redacting(redactor)
    assert redacting.passed(delta("so sk-"))[0].data == {"delta": "so "}
    came = redacting.passed(event)
    assert [e.data.get("delta") for e in came[:-1]] == (["sk-"] if ends else [])
    assert came[-1] is event
    assert texts(redacting.rest()) == ({} if ends else {"c1 text": "sk-"})


# Output


def lines(chunks: list[bytes]) -> list[str]:
    """What LOG events the output of a child becomes that writes these chunks."""
    out, into = Pipe(duplex=False)
    stream, events = OutputStream("stdout", out, redactor), []
    for chunk in chunks:
        os.write(into.fileno(), chunk)
        events += stream.read()
    into.close()
    return [event.data["line"] for event in events + stream.read()]


@given(pieces, st.lists(st.integers(0, 10_000), max_size=20))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_output_that_is_cut_anywhere_is_redacted(parts, places):
    text = "".join(parts).replace("\r", "").encode(errors="replace").decode()
    raw = text.encode()
    edges = sorted({0, len(raw), *(place % (len(raw) + 1) for place in places)})
    chunks = [raw[a:b] for a, b in itertools.pairwise(edges)]
    expected = redactor.text(text).split("\n")
    assert lines(chunks) == (expected if expected[-1] else expected[:-1])


@pytest.mark.parametrize("shift", range(0, 10, 3))
def test_a_long_line_is_not_cut_through_a_secret(shift):
    raw = b"-" * (LINE_MAX_CHARS - shift) + b"abcdefghij" + b"-" * 20
    came = "".join(lines([raw[: LINE_MAX_CHARS + 1], raw[LINE_MAX_CHARS + 1 :]]))
    assert came == raw.decode().replace("abcdefghij", MARK)


def test_redacting_output_is_not_what_takes_the_time():
    text = "2026-11-23 a line of ordinary output, https://example.org/page?x=1 and so on\n" * 1000
    many = Redactor([f"secret-{n}-{'y' * 60}" for n in range(30)])
    stream, began = Stream(many), time.process_time()
    assert stream.take(text) == text
    assert time.process_time() - began < 1.0  # of 80 kB; measured 0.05


def test_a_run_that_says_nothing_secret_does_not_begin_with_making_what_would_find_it():
    redactor = Redactor(SECRETS)
    stream = Stream(redactor)
    assert stream.take("plain words, abcdef") + stream.end() == "plain words, abcdef"
    assert redactor.text("sk-" + "z" * 20) == MARK
    assert "_known" not in vars(redactor)
    assert redactor.text("abcdefgh") == MARK
    assert "_known" in vars(redactor)
