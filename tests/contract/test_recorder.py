"""An attempt's writers while the database goes away: everything is stored once, whichever answer was lost."""

import threading
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from service.agents.context import TaskResult
from service.agents.prices import Prices
from service.config import Settings
from service.db import UNAVAILABLE, Database
from service.events.kinds import Kind, NewEvent
from service.security.redaction import Redactor
from service.worker import recorder as module
from service.worker.attempt import Attempt
from service.worker.once import Printed
from service.worker.recorder import Recorder
from tests.contract import given as the
from tests.contract.severed import Severing
from tests.postgres import execute
from tests.processes import until

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


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

    @contextmanager
    def statement(self):
        """As what fails while it runs: what is not committed with it was never there."""
        if self.is_sqlite or self.lost == "rolled back":
            with self.transaction() as conn:
                yield conn
            return
        lost, self.lost = self.lost, None
        with super().statement() as conn:
            yield conn
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


@pytest.fixture
def severing(server, settings, db, monkeypatch):
    """A PostgreSQL server, behind what can lose the answer to a COMMIT."""
    if db.is_sqlite:
        pytest.skip("has no connection that could end")
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    with Severing(settings.database_url) as made:
        yield made


def attempt(db, claimed):
    recorder = Recorder(db).take_up(claimed, Redactor(()))
    never = threading.Event()
    return Attempt(db, claimed, recorder, stop=never, finish=never, prices=Prices(Settings(), None))


def line(text):
    return NewEvent(Kind.LOG, "log", {"line": text})


def lines(db, claimed):
    logged = the.events_of(db, claimed.mission_id, kinds=["LOG"])
    return [event["data"]["line"] for event in logged]


class Unread(Database):
    """A database in which nothing may be looked up."""

    @contextmanager
    def reading(self):
        raise AssertionError("a read")
        yield


def test_a_first_attempt_reads_nothing_of_earlier_ones(settings, db):
    claimed = the.running(db)
    with closing(Unread(settings)) as unread:
        runs = attempt(unread, claimed)
        assert runs.finished_tasks() == {}
        assert runs.unfinished_tools() == []


def test_a_second_one_has_what_the_first_one_did(db):
    first = the.running(db)
    the.finish_task(db, first, "research")
    the.lose(db, first)
    again = attempt(db, the.claim(db))
    assert list(again.finished_tasks()) == ["research"]


def test_a_recorder_may_be_started_before_its_attempt_is_known(db):
    recorder = Recorder(db)
    recorder.start()
    claimed = the.running(db)
    recorder.take_up(claimed, Redactor(["a-secret-value"])).put(line("not a-secret-value"))
    recorder.close()
    assert lines(db, claimed) == ["not [redacted]"]


def test_a_lease_that_is_lost_is_told_of(db):
    claimed = the.running(db)
    told = threading.Event()
    recorder = Recorder(db, on_lost=told.set).take_up(claimed, Redactor([]))
    recorder.start()
    the.lose(db, claimed)
    recorder.put(line("too late"))
    assert told.wait(30)


@pytest.mark.parametrize("lost", ["rolled back", "committed"])
def test_a_batch_whose_answer_was_lost_is_stored_once(db, failing, lost):
    claimed = the.running(db)
    recorder = Recorder(failing).take_up(claimed, Redactor(()))
    written = []
    for n in range(3):
        failing.lost = lost
        recorder.store([line(f"{n}")], written.append)
    assert lines(db, claimed) == ["0", "1", "2"]
    assert len(written) == (6 if lost == "rolled back" else 3)
    assert the.follows_its_log(db, claimed.mission_id)


@pytest.mark.parametrize("lost", ["rolled back", "committed"])
def test_so_is_a_file_and_a_finished_task(db, failing, lost):
    claimed = the.running(db)
    runs = attempt(failing, claimed)
    failing.lost = lost
    runs.write_file("a.txt", b"once", task="research")
    failing.lost = lost
    runs.write_file("a.txt", b"again", task="research")
    made = the.events_of(db, claimed.mission_id, kinds=["OUTPUT"])
    assert [event["name"] for event in made] == ["file", "file"]
    assert runs.read_file("a.txt") == b"again"
    failing.lost = lost
    runs.finish_task(TaskResult("research", "writer", "A text."))
    assert the.mission(db, claimed.mission_id)["progress"]["done"] == 1
    assert the.names_of(db, claimed.mission_id)[-2:] == ["task", "task.completed"]
    assert the.follows_its_log(db, claimed.mission_id)


@pytest.mark.parametrize("lost", ["rolled back", "committed"])
def test_so_is_what_a_run_prints(db, failing, lost):
    """More of it may come while the first lines are in doubt."""
    claimed = the.running(db)
    printed = Printed(failing, claimed)
    for n in range(3):
        failing.lost = lost
        printed.add([line(f"{n}a"), line(f"{n}b")])
        with pytest.raises(UNAVAILABLE):
            printed.write()
        printed.add([line(f"{n}c")])
        printed.write()
        assert not printed
    assert lines(db, claimed) == [f"{n}{part}" for n in range(3) for part in "abc"]
    assert the.follows_its_log(db, claimed.mission_id)


@pytest.mark.parametrize("when", ["committed", "is about to commit"])
def test_when_a_connection_ends_behind_its_commit_nothing_is_stored_twice(
    db, settings, severing, when
):
    """Also when the server gets to the COMMIT while the writer is back already, and waits for it."""
    claimed = the.running(db)

    def is_back() -> None:
        until(lambda: execute(settings.database_url, WAITING) != [(0,)], what="second try")

    with closing(Database(Settings(data=settings.data, database_url=severing.url))) as far:
        recorder = Recorder(far).take_up(claimed, Redactor(()))
        for n in range(3):
            severing.lose(first=is_back if when == "is about to commit" else None)
            recorder.store([line(f"{n}")], lambda _: None)
            assert not severing.armed
    assert lines(db, claimed) == ["0", "1", "2"]
    assert the.follows_its_log(db, claimed.mission_id)


def test_what_another_wrote_alike_is_not_taken_for_ours(db, failing):
    """An earlier attempt's event, of the same moment and name."""
    first = the.running(db)
    event = line("once")
    the.record(db, first, event)
    the.lose(db, first)
    second = the.claim(db)
    failing.lost = "rolled back"
    Recorder(failing).take_up(second, Redactor(())).store([event], lambda _: None)
    assert len(the.events_of(db, first.mission_id, kinds=["LOG"])) == 2


def test_the_first_batches_of_a_quiet_moment_do_not_wait_and_those_that_follow_do(db, monkeypatch):
    """By a clock that stands: no time passes between them."""
    slept = []
    clock = SimpleNamespace(monotonic=lambda: 1.0, sleep=slept.append)
    monkeypatch.setattr(module, "time", clock)
    claimed = the.running(db)
    recorder = Recorder(db).take_up(claimed, Redactor([]))
    recorder.start()
    for n in range(module.AT_ONCE + 1):
        recorder.put(the.delta(f"word {n} ", call="c1"))
        until(lambda wanted=n + 1: len(slept) == wanted, what="batch")
    recorder.close()
    assert slept[: module.AT_ONCE - 1] == [0.0] * (module.AT_ONCE - 1)
    assert sum(slept) >= module.BATCH_EVERY_S
    the.complete(db, claimed)
