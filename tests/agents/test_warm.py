"""A child forked from the warm process runs a crew at once."""

import subprocess
import sys
import threading

import pytest
from crewai.events import crewai_event_bus
from crewai.flow.flow import FlowState

from service.agents.crewai.llm import Model
from service.agents.crewai.rehearsal import NOWHERE, rehearse, unheard
from service.config import Settings
from tests.agents.given import API_KEY, MODEL
from tests.model_server import ModelServer

pytestmark = [pytest.mark.agents, pytest.mark.processes]


def test_a_forked_child_asks_the_model_within_a_second(
    server: ModelServer, settings: Settings
) -> None:
    command = [sys.executable, "-m", "tests.agents.forked", str(settings.data), server.base_url]
    finished = subprocess.run(
        [*command, API_KEY, MODEL], capture_output=True, text=True, timeout=60, check=True
    )
    assert finished.stderr == ""
    _, started, text = finished.stdout.splitlines()
    assert text == server.texts()[0]
    (exchange,) = server.exchanges
    assert exchange.at - float(started) < 1.0


LEFT = """
import gc, importlib, sys, threading
from pathlib import Path
from service import config
from service.worker.forks import WARM
collected = gc.get_threshold()
config.prepare_agent_environment(config.Settings(data=Path(sys.argv[1])))
for name in WARM:
    importlib.import_module(name)
print(threading.active_count(), gc.get_threshold() == collected)
"""


def test_the_warm_process_has_no_thread_beside_its_own_and_collects_as_before(
    settings: Settings,
) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", LEFT, str(settings.data)],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    assert finished.stdout.split() == ["1", "True"]


def test_who_listened_before_a_rehearsal_listens_behind_it() -> None:
    before = dict(crewai_event_bus._sync_handlers)
    with unheard():
        assert rehearse().text.split() == ["word"] * 12
    assert dict(crewai_event_bus._sync_handlers) == before


def test_a_crew_makes_no_class_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[type] = []
    told = classmethod(lambda cls, **_: made.append(cls))
    monkeypatch.setattr(FlowState, "__init_subclass__", told, raising=False)
    with unheard():
        assert rehearse().text
    assert made == []


def test_a_model_makes_its_asynchronous_client_when_it_is_asked_for_it() -> None:
    model = Model.at(NOWHERE)
    assert model._async_client is None
    assert model._get_async_client() is model._get_async_client() is not None
    model.close()


def test_a_thread_that_a_rehearsal_would_leave_behind_is_refused() -> None:
    end = threading.Event()
    with pytest.raises(RuntimeError, match="thread"), unheard():
        threading.Thread(target=end.wait).start()
    end.set()
