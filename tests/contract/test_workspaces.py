"""A thousand workspaces on one database behave as one: each has its numbers, and all are served."""

import pytest
from sqlalchemy import insert

from models import workspaces
from service import clock
from service.events import log
from service.missions import commands
from service.security import tokens
from tests.contract import given as the
from tests.contract.races import race

MANY = 1000


@pytest.fixture
def many(db):
    """Their ids. Each has one queued mission."""
    now = clock.now_ms()
    rows = [{"name": f"w{n}", "feed": f"feed{n}", "created_ms": now} for n in range(MANY)]
    with db.transaction() as conn:
        made = conn.execute(insert(workspaces).returning(workspaces.c.id), rows).scalars()
        ids = list(made)
        for workspace_id in ids:
            commands.create(conn, workspace_id, the.spec())
    return ids


def test_each_of_a_thousand_workspaces_is_numbered_and_served_by_itself(db, many):
    claimed = [the.claim(db) for _ in range(30)]
    assert len({claim.workspace_id for claim in claimed}) == 30  # nobody twice before the others
    for claim in claimed:
        the.record(db, claim, the.delta(), the.delta())
    with db.reading() as conn:
        heads = log.heads(conn, many)
    served = {claim.workspace_id for claim in claimed}
    assert heads == {id_: 4 if id_ in served else 1 for id_ in many}
    for claim in claimed[:3]:
        seqs = [event["seq"] for event in the.events(db, claim.workspace_id)]
        assert seqs == [1, 2, 3, 4]


def test_processes_that_start_at_once_keep_one_operator_s_token(db):
    def keep() -> None:
        with db.transaction() as conn:
            tokens.keep_environment_token(conn, "a token that the operator has chosen")

    race(*[keep] * 4)
    with db.reading() as conn:
        assert [row.id for row in tokens.listed(conn)] == [tokens.FROM_ENVIRONMENT]
