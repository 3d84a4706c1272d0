"""A model that fails, and an attempt that must end: said once for each call, and never a key."""

import time
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from service.agents.context import Interrupted, MissionFailed, MissionResult
from service.config import Settings
from service.events.kinds import Kind
from tests.agents.given import API_KEY, agent, mission, single, task
from tests.agents.recording import RecordingContext
from tests.model_server import ModelServer, Reply, Rule, ToolCall

pytestmark = pytest.mark.agents

Run = Callable[[RecordingContext], MissionResult]


def test_a_failing_model_fails_the_mission_after_three_tries_each_a_call(
    run: Run, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.agents.crewai.llm.RETRIES", 0)  # the client waits between them
    server.rules = [Rule(Reply(status=500, error=f"no luck with {API_KEY}"))]
    context = RecordingContext(single())
    with pytest.raises(MissionFailed) as failed:
        run(context)
    assert (failed.value.code, failed.value.retryable) == ("model_error", True)
    assert failed.value.message == (
        "The model's endpoint answered with HTTP 500: no luck with ***."
    )
    assert len({event.call for event in context.of(Kind.ACTION, "llm.failed")}) == 3
    assert len(context.of(Kind.ERROR, "llm")) == len(server.exchanges) == 3
    assert context.names(Kind.STATUS)[-1] == "task.failed"
    assert API_KEY not in str(context.events)


def test_a_refused_key_is_not_tried_again(
    run: Run, server: ModelServer, settings: Settings
) -> None:
    server.api_key = "another"
    context = RecordingContext(single())
    with pytest.raises(MissionFailed, match="HTTP 401") as failed:
        run(context)
    assert not failed.value.retryable
    assert len(server.exchanges) == 1


@pytest.mark.usefixtures("prepared")
def test_an_endpoint_that_is_not_there_is_named_as_the_cause(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.agents import runner

    monkeypatch.setattr("service.agents.crewai.llm.RETRIES", 0)
    nowhere = settings.model_copy(update={"openai_base_url": "http://127.0.0.1:1/v1"})
    context = RecordingContext(single())
    with pytest.raises(MissionFailed, match="cannot be reached"):
        runner.run(context, nowhere)
    assert len(context.of(Kind.ERROR, "llm")) == 3


def test_an_answer_that_breaks_off_is_asked_for_again_as_another_call(
    run: Run, server: ModelServer
) -> None:
    server.rules = [Rule(Reply("one two three four", cut_after=2), times=1)]
    context = RecordingContext(single())
    assert run(context).text == "All is well."
    assert list(context.joined().values()) == server.texts() == ["one two", "All is well."]
    assert len(context.of(Kind.ACTION, "llm.failed")) == 1


def test_failures_of_one_task_do_not_count_against_the_next(run: Run, server: ModelServer) -> None:
    names = ["first", "second", "third"]
    server.rules = [Rule(Reply("x", cut_after=0), any=f"Do {name}.", times=2) for name in names]
    plan = [task(name, "writer", context=[]) for name in names]
    context = RecordingContext(mission([agent("writer")], plan))
    run(context)
    assert [result.task for result in context.results] == names


def test_cancelling_in_mid_stream_ends_the_run_at_its_next_word(
    run: Run, server: ModelServer
) -> None:
    server.rules = [Rule(Reply(chunks=["word "] * 1000, delay_s=0.01))]
    context = RecordingContext(single())
    context.cancel_when = lambda event: event.kind == Kind.STREAM
    with pytest.raises(Interrupted):
        run(context)
    assert context.cancelled_at is not None
    assert time.monotonic() - context.cancelled_at < 5  # the answer would go on for ten
    assert len(context.of(Kind.STREAM, "text")) == 1
    assert len(server.exchanges) == 1  # the agent was not tried again


def test_cancelling_while_a_human_is_asked_ends_the_run(run: Run, server: ModelServer) -> None:
    call = ToolCall("ask_human", {"question": "Which one?", "options": None})
    server.rules = [Rule(Reply(tool_calls=[call]), tools=True)]
    with pytest.raises(Interrupted):
        run(RecordingContext(single(tools=["ask_human"]), answers=[Interrupted()]))


def test_a_mission_that_may_not_go_on_without_an_answer_fails(
    run: Run, server: ModelServer
) -> None:
    call = ToolCall("ask_human", {"question": "Which one?", "options": None})
    server.rules = [Rule(Reply(tool_calls=[call]), tools=True)]
    expired = MissionFailed("request_expired", "Nobody answered.")
    context = RecordingContext(single(tools=["ask_human"]), answers=[expired])
    with pytest.raises(MissionFailed) as failed:
        run(context)
    assert failed.value is expired
    assert len(server.exchanges) == 1


def test_a_result_that_cannot_be_stored_ends_the_run(run: Run, server: ModelServer) -> None:
    class Full(RecordingContext):
        def finish_task(self, result: object) -> None:
            raise OSError("disk full")

    plan = [task("first", "writer"), task("second", "writer")]
    with pytest.raises(OSError, match="disk full"):
        run(Full(mission([agent("writer")], plan)))
    assert len(server.exchanges) == 1


def test_an_event_that_cannot_be_described_does_not_fail_the_crew(
    run: Run, server: ModelServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("service.agents.crewai.reading.usage", lambda event: 1 / 0)
    assert run(RecordingContext(single())).text == "All is well."
    assert "llm_call_completed" in caplog.text


def test_a_model_that_the_operator_does_not_offer_is_refused(run: Run, server: ModelServer) -> None:
    spec = mission([agent("writer", model="openai/other")], [task("draft", "writer")])
    with pytest.raises(MissionFailed) as failed:
        run(RecordingContext(spec))
    assert failed.value.code == "model_not_allowed"


def test_the_key_is_sent_to_the_endpoint_and_stays_out_of_sight(
    run: Run, server: ModelServer, settings: Settings
) -> None:
    context = RecordingContext(single())
    run(context)
    assert isinstance(settings.openai_api_key, SecretStr)
    assert server.exchanges[0].authorization == f"Bearer {API_KEY}"
    assert API_KEY not in str(context.events)
