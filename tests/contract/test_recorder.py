"""The recorder while the database goes away: everything is stored once, whichever answer was lost."""

from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError

from service.db import Database
from service.events.kinds import Kind, NewEvent
from service.security.redaction import Redactor
from service.worker import recorder as module
from service.worker.recorder import Recorder
from tests.contract import given as the


class Failing(Database):
    """A database whose next transaction ends without an answer, committed or not."""

    lost: str | None = None

    @contextmanager
    def transaction(self):
        lost, self.lost = self.lost, None
        with super().transaction() as conn:
            yield conn
            if lost == "rolled back":
                raise gone()
        if lost == "committed":
            raise gone()


def gone() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("the server closed the connection"))


@pytest.fixture
def failing(settings, db, monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    made = Failing(settings)
    yield made
    made.close()


@pytest.mark.parametrize("lost", ["rolled back", "committed"])
def test_a_batch_whose_answer_was_lost_is_stored_once(db, failing, lost):
    claimed = the.running(db)
    recorder = Recorder(failing, claimed, Redactor(()))
    written = []
    for n in range(3):
        failing.lost = lost
        recorder.store([NewEvent(Kind.LOG, "log", {"line": f"{n}"})], written.append)
    logged = the.events_of(db, claimed.mission_id, kinds=["LOG"])
    assert [event["data"]["line"] for event in logged] == ["0", "1", "2"]
    assert len(written) == (6 if lost == "rolled back" else 3)
    assert the.follows_its_log(db, claimed.mission_id)


def test_what_another_wrote_alike_is_not_taken_for_ours(db, failing):
    """An earlier attempt's event, of the same moment and name."""
    first = the.running(db)
    event = NewEvent(Kind.LOG, "log", {"line": "once"})
    the.record(db, first, event)
    the.lose(db, first)
    second = the.claim(db)
    failing.lost = "rolled back"
    Recorder(failing, second, Redactor(())).store([event], lambda _: None)
    assert len(the.events_of(db, first.mission_id, kinds=["LOG"])) == 2
