"""Which answers fit which questions, and where a misfit is."""

import socket

import pytest
from referencing.exceptions import Unresolvable

from tests.contract import given as the
from tests.contract.given import refusal, responses

FORM = {
    "type": "object",
    "properties": {
        "pages": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "a/b~c": {"type": "string"},
    },
    "required": ["pages"],
    "additionalProperties": False,
}
CHOICE = {"type": "choice", "options": ["red", "blue"]}
APPROVAL = {"type": "approval"}
ASKS_FORM = {"type": "form", "schema": FORM}


@pytest.mark.parametrize(
    ("kind", "value", "pointer"),
    [
        ({}, None, "/answer"),
        ({}, 7, "/answer"),
        ({}, ["a"], "/answer"),
        ({}, "x" * 100_000, "/answer"),
        ({}, "é" * 50_000, "/answer"),
        (CHOICE, "green", "/answer"),
        (CHOICE, None, "/answer"),
        (CHOICE, ["red"], "/answer"),
        (APPROVAL, "approve", "/answer"),
        (APPROVAL, {}, "/answer/decision"),
        (APPROVAL, {"decision": "maybe"}, "/answer/decision"),
        (APPROVAL, {"decision": ["approve"]}, "/answer/decision"),
        (APPROVAL, {"decision": "approve", "args": []}, "/answer/args"),
        (APPROVAL, {"decision": "edit"}, "/answer/args"),
        (APPROVAL, {"decision": "reject", "comment": 7}, "/answer/comment"),
        (APPROVAL, {"decision": "approve", "a/b": 1}, "/answer/a~1b"),
        (ASKS_FORM, "text", "/answer"),
        (ASKS_FORM, {}, "/answer"),
        (ASKS_FORM, {"pages": "two"}, "/answer/pages"),
        (ASKS_FORM, {"pages": 2, "tags": ["a", 1]}, "/answer/tags/1"),
        (ASKS_FORM, {"pages": 2, "a/b~c": 1}, "/answer/a~1b~0c"),
        (ASKS_FORM, {"pages": 2, "more": 1}, "/answer"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_where_it_does_not(db, kind, value, pointer):
    request_id = the.ask(db, the.running(db), the.question(**kind))
    refused = refusal(db, request_id, value)
    assert (refused.code, refused.declared.status) == ("invalid", 422)
    assert [error["pointer"] for error in refused.extra["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ({}, ""),
        ({}, "Yes, but \U0001f600\n"),
        ({}, "x" * 99_998),
        (CHOICE, "blue"),
        (APPROVAL, {"decision": "approve"}),
        (APPROVAL, {"decision": "edit", "args": {"name": "notes.md"}, "comment": "Better."}),
        (APPROVAL, {"decision": "reject", "comment": ""}),
        (ASKS_FORM, {"pages": 2, "tags": ["a"], "a/b~c": ""}),
        ({"type": "form", "schema": {}}, [None, True, 1.5]),
    ],
)
def test_an_answer_that_fits_arrives_as_it_was_given(db, kind, value):
    claimed = the.running(db)
    request_id = the.ask(db, claimed, the.question(**kind))
    assert the.answer(db, request_id, value).request["answer"] == value
    assert responses(db, claimed)[0]["data"]["answer"] == value
    assert the.answer(db, request_id, value).replayed


def test_forms_are_the_same_whatever_the_order_of_their_keys(db):
    request_id = the.ask(db, the.running(db), the.question(type="form", schema={}))
    the.answer(db, request_id, {"a": 1, "b": 2})
    assert the.answer(db, request_id, {"b": 2, "a": 1}).replayed


def test_true_is_not_one(db):
    request_id = the.ask(db, the.running(db), the.question(type="form", schema={}))
    the.answer(db, request_id, {"agreed": 1})
    assert refusal(db, request_id, {"agreed": True}).code == "already_answered"


def test_a_schema_that_refers_to_another_host_fetches_nothing(db):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        schema = {"$ref": f"http://127.0.0.1:{listening.getsockname()[1]}/schema"}
        request_id = the.ask(db, the.running(db), the.question(type="form", schema=schema))
        with pytest.raises(Unresolvable):
            the.answer(db, request_id, {})
        with pytest.raises(BlockingIOError):
            listening.accept()
