"""The recorder: what is put is stored in order and in few batches, with no secret in any of them."""

import pytest

from service.events.kinds import Kind, NewEvent
from service.security.redaction import MARK, Redactor
from service.worker.recorder import DELTA_MAX_CHARS, Recorder
from tests.contract import given as the

SECRET = "a-value-of-the-environment"


def stored(db, claimed) -> tuple[str, list[str]]:
    """The text of the deltas, and the names of all events in their order."""
    events = the.events_of(db, claimed.mission_id)[2:]
    deltas = [event["data"]["delta"] for event in events if event["kind"] == "STREAM"]
    assert max(map(len, deltas)) <= DELTA_MAX_CHARS
    return "".join(deltas), [event["name"] for event in events]


@pytest.fixture
def claimed(db):
    return the.running(db)


def recorder(db, claimed) -> Recorder:
    made = Recorder(db, claimed, Redactor([SECRET]))
    made.start()
    return made


@pytest.mark.parametrize("at", [1, 5, len(SECRET) - 1])
def test_a_secret_that_two_batches_cut_is_redacted(db, claimed, at):
    writing = recorder(db, claimed)
    for piece in (f"It is {SECRET[:at]}", SECRET[at:], ", so"):
        writing.put(the.delta(piece, call="c1"))
        writing.flush()
    writing.put(NewEvent(Kind.ACTION, "llm.finished", {}, call="c1"))
    writing.close()
    text, names = stored(db, claimed)
    assert text == f"It is {MARK}, so"
    assert names[-1] == "llm.finished"


def test_what_a_text_ends_in_is_stored_before_the_end_of_its_call(db, claimed):
    writing = recorder(db, claimed)
    writing.put(the.delta(f"It is {SECRET[:8]}", call="c1"))
    writing.flush()
    writing.put(NewEvent(Kind.ACTION, "llm.finished", {}, call="c1"))
    writing.close()
    assert stored(db, claimed) == (f"It is {SECRET[:8]}", ["text", "text", "llm.finished"])


def test_a_text_without_an_end_is_stored_whole(db, claimed):
    writing = recorder(db, claimed)
    writing.put(the.delta("It is sk-", call="c1"))
    writing.close()
    assert stored(db, claimed)[0] == "It is sk-"


def test_a_delta_that_is_split_is_redacted_before(db, claimed):
    writing = recorder(db, claimed)
    writing.put(the.delta("-" * (DELTA_MAX_CHARS - 5) + SECRET, call="c1"))
    writing.close()
    assert stored(db, claimed)[0] == "-" * (DELTA_MAX_CHARS - 5) + MARK
