"""What an event holds: any text that a model may write, as JSON that any client can read."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import events as events_table
from service.clock import rfc3339
from service.db import Database
from service.events.kinds import Kind, NewEvent
from service.events.text import MAX_DATA_BYTES
from tests.contract import given as the

# Examples are the same in every run: a test that fails by luck is worse than none.
FIXED = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def stored(db: Database, data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An event with this data, as a client gets it."""
    claimed = the.running(db)
    the.append(db, claimed.mission_id, NewEvent(Kind.LOG, "stdout", data, **changes))
    return the.events_of(db, claimed.mission_id)[-1]


def test_the_json_of_an_event_is_its_row(db):
    claimed = the.running(db)
    data = {"tool": 'read "file"\n', "args": {"ü": [1, 2.5, None, True]}}
    event = NewEvent(Kind.ACTION, "tool.started", data, agent='a"b', task="t\\n", call="c3")
    the.record(db, claimed, event)
    with db.reading() as conn:
        row = conn.execute(select(events_table).order_by(events_table.c.seq.desc())).first()
    assert the.events(db)[-1] == {
        "seq": row.seq,
        "mission": row.mission_id,
        "mseq": row.mseq,
        "attempt": 1,
        "kind": "ACTION",
        "name": "tool.started",
        "at": rfc3339(event.at_ms),
        "agent": 'a"b',
        "task": "t\\n",
        "call": "c3",
        "data": data,
    }


def test_what_means_nothing_is_left_out(db):
    event = stored(db, {})
    assert {"agent", "task", "call"}.isdisjoint(event)


@pytest.mark.parametrize(
    ("broken", "repaired"),
    [
        ("nul \0 here", "nul \ufffd here"),
        ("half \ud83d alone", "half \ufffd alone"),
        ("other half \ude00", "other half \ufffd"),
        ("two halves \ud83d\ude00", "two halves \U0001f600"),
        ("\udc00\ud800", "\ufffd\ufffd"),
    ],
)
def test_text_that_no_database_takes_is_repaired(db, broken, repaired):
    data = {"text": broken, "deep": [{"er": [broken]}], broken: 1}
    event = stored(db, data, agent=broken, task=broken, call=broken)
    assert event["data"] == {"text": repaired, "deep": [{"er": [repaired]}], repaired: 1}
    assert (event["agent"], event["task"], event["call"]) == (repaired,) * 3


def test_numbers_that_json_does_not_have_become_null_or_text(db):
    data = {"nan": float("nan"), "inf": [float("inf")], "huge": 2**70, "large": 2**63 - 1}
    expected = {"nan": None, "inf": [None], "huge": str(2**70), "large": 2**63 - 1}
    assert stored(db, data)["data"] == expected


def test_values_of_other_types_become_text(db):
    data = {"bytes": b"raw", "tuple": (1, 2), 3: "key", "error": ValueError("no")}
    expected = {"bytes": "b'raw'", "tuple": [1, 2], "3": "key", "error": "no"}
    assert stored(db, data)["data"] == expected


def test_data_nested_without_end_is_stored(db):
    endless: dict[str, Any] = {"text": "here"}
    endless["again"] = endless
    assert stored(db, endless)["data"]["again"]["again"]["text"] == "here"


def test_oversized_text_is_cut_and_says_so(db):
    event = stored(db, {"output": "é" * MAX_DATA_BYTES, "tool": "read_file"})
    assert event["data"]["truncated"] is True
    assert event["data"]["tool"] == "read_file"
    assert event["data"]["output"].startswith("éé")
    assert len(orjson.dumps(event)) <= MAX_DATA_BYTES


def test_oversized_data_of_many_parts_is_cut_too(db):
    event = stored(db, {"rows": [["cell"] * 10] * 10_000})
    assert event["data"]["truncated"] is True
    assert event["data"]["preview"].startswith('{"rows":[["cell"')
    assert len(orjson.dumps(event)) <= MAX_DATA_BYTES


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ANY_TEXT = st.text(st.characters())
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def json_objects(text: st.SearchStrategy[str], numbers: st.SearchStrategy[Any]):
    leaves = st.none() | st.booleans() | numbers | text
    values = st.recursive(
        leaves, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=8
    )
    return st.dictionaries(text, values, max_size=4)


@FIXED
@given(batch=st.lists(json_objects(TEXT, INTEGERS | FLOATS), min_size=1, max_size=5))
def test_json_data_comes_back_as_it_went_in(db, batch):
    mission_id = the.make_mission(db)
    the.append(db, mission_id, *[NewEvent(Kind.LOG, "log", data) for data in batch])
    assert [event["data"] for event in the.events_of(db, mission_id)[1:]] == batch


@FIXED
@given(
    data=json_objects(ANY_TEXT, st.integers() | st.floats()),
    text=ANY_TEXT,
)
def test_whatever_a_model_writes_is_stored_as_valid_json(db, data, text):
    mission_id = the.make_mission(db)
    the.append(db, mission_id, NewEvent(Kind.LOG, "log", data, agent=text, task=text, call=text))
    event = the.events_of(db, mission_id)[-1]
    assert len(event["agent"]) <= len(text)
    assert "\0" not in event["agent"]
