"""64 answers at the same moment: one wins, one event tells of it, and the agent gets exactly that one."""

import pytest

from service.db import Database
from service.errors import Problem
from tests.contract import given as the
from tests.contract.races import race

MANY = 64


@pytest.fixture
def own_db(db, settings):
    """As many connections as there are who answer."""
    database = Database(settings, pool_size=MANY)
    yield database
    database.close()


def answered(own_db, asked, values, keys) -> list[Problem | None]:
    _claimed, request_id = asked
    return race(
        *(
            lambda value=value, key=key: the.answer(own_db, request_id, value, by=value, key=key)
            for value, key in zip(values, keys, strict=True)
        )
    )


@pytest.mark.parametrize("keyed", ["no keys", "a key each", "one key"])
@pytest.mark.parametrize("same", [True, False], ids=["the same", "different"])
def test_one_of_64_answers_wins_and_the_agent_gets_it(db, own_db, asked, same, keyed):
    claimed, request_id = asked
    values = ["yes"] * MANY if same else [f"answer {n}" for n in range(MANY)]
    keys = {
        "no keys": [None] * MANY,
        "a key each": [f"key {n}" for n in range(MANY)],
        "one key": ["key"] * MANY,
    }[keyed]
    refusals = answered(own_db, asked, values, keys)

    [told] = the.responses(db, claimed)
    won = told["data"]["answer"]
    assert the.request(db, request_id)["answer"] == won
    assert the.take_answer(db, request_id).value == won
    # The same value, or the same client's key, is no conflict; any other answer is one.
    expected = 0 if same or keyed == "one key" else MANY - 1
    refused = [refusal for refusal in refusals if refusal is not None]
    assert len(refused) == expected
    assert {refusal.code for refusal in refused} <= {"already_answered"}
    assert all(refusal.extra["answer"] == won for refusal in refused)
    assert the.follows_its_log(db, claimed.mission_id)
