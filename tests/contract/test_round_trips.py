"""What goes in comes out, on every database: specs, redacted text, and the log by any cursor and filter."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.events.kinds import Kind, NewEvent
from service.events.text import repair
from service.feed import cursor, page
from service.feed.cursor import Filter
from service.missions import commands, specs
from service.missions.spec import MissionSpec
from service.security.redaction import MARK, Redactor
from service.worker.recorder import Recorder
from tests.contract import given as the

FIXED = settings(
    derandomize=True,
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANY_TEXT = st.text(st.characters(exclude_categories=[]), min_size=1, max_size=30)
NAMES = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=20)
KINDS = [kind.value for kind in Kind]


@st.composite
def missions(draw: Any) -> MissionSpec:
    """Any that hangs together, with the strangest texts."""
    prose = st.text(min_size=1, max_size=50).filter(lambda text: "{" not in text)
    agents = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    tasks = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    plan = [
        {
            "name": name,
            "description": draw(prose),
            "expected_output": draw(prose),
            "agent": draw(st.sampled_from(agents)),
            "context": draw(st.none() | st.lists(st.sampled_from(tasks[:i] or [""]), max_size=2))
            if i
            else None,
            "human_input": draw(st.booleans()),
        }
        for i, name in enumerate(tasks)
    ]
    return MissionSpec.model_validate(
        {
            "agents": [
                {"name": name, "role": draw(NAMES), "goal": draw(prose), "backstory": draw(prose)}
                for name in agents
            ],
            "plan": plan,
            "inputs": draw(
                st.dictionaries(
                    NAMES,
                    st.text(max_size=20)
                    | st.integers(-(2**63), 2**63)
                    | st.floats(allow_nan=False, allow_infinity=False)
                    | st.booleans(),
                    max_size=3,
                )
            ),
            "limits": {"max_tokens": draw(st.none() | st.integers(1, 2**53))},
            "priority": draw(st.integers(-100, 100)),
        }
    )


@FIXED
@given(spec=missions())
def test_a_worker_gets_the_spec_that_was_asked_for(db, spec):
    with db.transaction() as conn:
        commands.create(conn, the.WORKSPACE, spec)
    claimed = the.claim(db)
    # NUL alone is no text for a database.
    kept = specs.load(_repaired(specs.dump(spec)))
    assert claimed.spec == kept
    the.complete(db, claimed)


def _repaired(value: Any) -> Any:
    match value:
        case str():
            return repair(value)
        case dict():
            return {repair(key): _repaired(item) for key, item in value.items()}
        case list():
            return [_repaired(item) for item in value]
    return value


@FIXED
@given(
    names=st.lists(st.sampled_from(KINDS), min_size=1, max_size=25),
    wanted=st.lists(st.sampled_from(KINDS), max_size=3),
    leave_out=st.booleans(),
    limit=st.integers(1, 7),
    after=st.integers(0, 30),
    of_one=st.booleans(),
)
def test_pages_joined_are_the_log_whatever_is_asked_for(
    db, names, wanted, leave_out, limit, after, of_one
):
    first, second = the.make_mission(db), the.make_mission(db)
    start = the.events(db)[-1]["seq"]
    for i, name in enumerate(names):
        the.append(db, (first, second)[i % 2], NewEvent(Kind(name), f'a"{i}', {"i": i}))
    told = [f"-{kind}" for kind in wanted] if leave_out else wanted
    given_ = {"kind": [",".join(told)]} if told else {}
    query = cursor.parse(
        {**given_, "limit": [str(limit)], "after": [str(start + after)]}
        | ({"mission": [str(first)]} if of_one else {}),
        the.WORKSPACE,
    )
    expected = [
        event
        for event in the.events(db)
        if event["seq"] > start + after
        and (not of_one or event["mission"] == first)
        and (not wanted or (event["kind"] in wanted) is not leave_out)
    ]
    assert seqs(db, query.filter, start + after) == [event["seq"] for event in expected]


def seqs(db: Any, wanted: Filter, after: int) -> list[int]:
    """The seq of each event on page after page, until there is no more."""
    found: list[int] = []
    if after > the.events(db)[-1]["seq"]:
        return found
    while True:
        read = page.read(db, wanted, after)
        assert len(read.events) <= wanted.limit
        found += [page.seq_of(text) for text in read.events]
        assert read.next > after or not read.more
        after = read.next
        if not read.more:
            return found


@FIXED
@given(
    pieces=st.lists(
        ANY_TEXT | st.sampled_from(["a-secret-value", "a-sec", "ret-value"]), max_size=8
    )
)
def test_a_streamed_text_comes_back_redacted_and_otherwise_as_it_was(db, pieces):
    claimed = the.running(db)
    recorder = Recorder(db).take_up(claimed, Redactor(["a-secret-value"]))
    recorder.start()
    for piece in pieces:
        recorder.put(the.delta(piece, call="c1"))
    recorder.close()
    deltas = [e["data"]["delta"] for e in the.events_of(db, claimed.mission_id, kinds=["STREAM"])]
    expected = "".join(pieces).replace("a-secret-value", MARK)
    # A pair that came in two deltas may lie in two events: each half is repaired by itself.
    if not any("\ud800" <= char <= "\udfff" for char in expected):
        assert "".join(deltas) == repair(expected)
    the.complete(db, claimed)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "ü", "a\0b"])
def test_an_event_s_name_is_text_too(db, name):
    claimed = the.running(db)
    the.record(db, claimed, NewEvent(Kind.LOG, name, {}))
    assert the.events(db)[-1]["name"] == name.replace("\0", "\N{REPLACEMENT CHARACTER}")
