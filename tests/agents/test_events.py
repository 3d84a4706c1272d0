"""What a crew does, in the words of the log: order, exactness, and nothing lost."""

from collections.abc import Callable

import pytest

from service.agents.context import MissionResult
from service.config import Settings
from service.events.kinds import Kind
from tests.agents.given import agent, mission, single, task
from tests.agents.recording import RecordingContext
from tests.model_server import ModelServer, Reply, Rule, ToolCall

pytestmark = pytest.mark.agents

Run = Callable[[RecordingContext], MissionResult]

UNICODE = 'Ein Satz — mit Umlauten: äöü.\n\n\tŻółw 🐢👩‍🚀 ‮rtl‬ "quoted" \\ \u2028 end '


def test_a_task_runs_in_the_order_of_the_log(run: Run, server: ModelServer) -> None:
    context = RecordingContext(single())
    result = run(context)
    assert result.text == server.texts()[0]
    assert context.names() == [
        "task.started",
        "agent.started",
        "llm.started",
        "llm.finished",
        "agent.completed",
        "task",
        "task.completed",
    ]


def test_every_event_names_the_task_and_its_agent_by_the_names_of_the_mission(
    run: Run, server: ModelServer
) -> None:
    # Both agents have the same role, and both use the same model.
    agents = [agent("one") | {"role": "R"}, agent("two") | {"role": "R"}]
    context = RecordingContext(mission(agents, [task("first", "one"), task("second", "two")]))
    run(context)
    by_agent = {"first": "one", "second": "two"}
    assert {event.task for event in context.events} == set(by_agent)
    assert all(e.agent in (None, by_agent[e.task or ""]) for e in context.events)
    assert all(e.agent for e in context.events if e.name != "task.started")


def test_the_joined_deltas_of_a_call_are_the_text_of_the_endpoint_byte_for_byte(
    run: Run, server: ModelServer
) -> None:
    server.rules = [
        Rule(Reply(UNICODE), last="Do first."),
        Rule(Reply(chunks=list(UNICODE)), last="Do second."),
        Rule(Reply("🐢" * 40_000, escaped=True), last="Do third."),
    ]
    agents = [agent("writer")]
    plan = [task(name, "writer", context=[]) for name in ("first", "second", "third")]
    context = RecordingContext(mission(agents, plan))
    run(context)
    assert list(context.joined().values()) == server.texts() == [UNICODE, UNICODE, "🐢" * 40_000]


def test_a_surrogate_pair_in_two_halves_does_not_break_the_next_request(
    run: Run, server: ModelServer
) -> None:
    halves = Reply(chunks=["a turtle \ud83d", "\udc22 and a lone \ud83d"], escaped=True)
    server.rules = [Rule(halves, last="Do first.")]
    plan = [task("first", "writer"), task("second", "writer")]
    context = RecordingContext(mission([agent("writer")], plan))
    run(context)
    assert context.results[0].text == "a turtle 🐢 and a lone \N{REPLACEMENT CHARACTER}"
    assert "a turtle 🐢 and a lone" in server.exchanges[1].last_message


def test_usage_adds_up_to_what_the_endpoint_reported(run: Run, server: ModelServer) -> None:
    plan = [task("first", "one"), task("second", "two"), task("third", "one")]
    context = RecordingContext(mission([agent("one"), agent("two")], plan))
    run(context)
    assert len(context.of(Kind.USAGE)) == len(server.exchanges) == 3
    for name in ("prompt_tokens", "completion_tokens"):
        assert context.sum_of(name) == server.total(name) > 0
    reported = [exchange.usage or {} for exchange in server.exchanges]
    cached = sum(usage["prompt_tokens_details"]["cached_tokens"] for usage in reported)
    assert context.sum_of("cached_tokens") == cached > 0
    assert context.sum_of("reasoning_tokens") == 3


def test_a_tool_call_has_its_arguments_its_output_and_a_call_of_its_own(
    run: Run, server: ModelServer
) -> None:
    call = ToolCall("calculator", {"expression": "6 * 7"})
    server.rules = [Rule(Reply(tool_calls=[call]), tools=True, times=1)]
    context = RecordingContext(single(tools=["calculator"]))
    run(context)
    started, finished = context.of(Kind.ACTION, "tool.started") + context.of(
        Kind.ACTION, "tool.finished"
    )
    assert started.data == {"tool": "calculator", "args": {"expression": "6 * 7"}}
    assert finished.data["output"] == "42"
    assert started.call == finished.call
    asked, answered = context.of(Kind.ACTION, "llm.started")
    assert len({asked.call, answered.call, started.call}) == 3
    assert context.joined("tool_args") == {asked.call: server.exchanges[0].tool_args}


def test_two_tool_calls_at_once_keep_their_calls_apart(run: Run, server: ModelServer) -> None:
    calls = [ToolCall("calculator", {"expression": f"{n} * 10"}) for n in (1, 2)]
    server.rules = [Rule(Reply(tool_calls=calls), tools=True, times=1)]
    context = RecordingContext(single(tools=["calculator"]))
    run(context)
    finished = context.of(Kind.ACTION, "tool.finished")
    outputs = {event.data["args"]["expression"]: event.data["output"] for event in finished}
    assert outputs == {"1 * 10": "10", "2 * 10": "20"}
    assert len({event.call for event in finished}) == 2


def test_a_tool_that_refuses_its_arguments_is_an_error_that_the_agent_survives(
    run: Run, server: ModelServer
) -> None:
    call = ToolCall("calculator", {"wrong": "6 * 7"})
    server.rules = [Rule(Reply(tool_calls=[call]), tools=True, times=1)]
    context = RecordingContext(single(tools=["calculator"]))
    run(context)
    assert "tool.failed" in context.names(Kind.ACTION)
    assert [event.data["code"] for event in context.of(Kind.ERROR, "tool")] == ["tool_error"]
    assert len(context.results) == 1


def test_a_thought_is_shown_and_its_answer_is_the_result(run: Run, server: ModelServer) -> None:
    server.rules = [Rule(Reply("Thought: I know this.\nFinal Answer: It is warm."))]
    context = RecordingContext(single())
    assert run(context).text == "It is warm."
    assert [e.data["text"] for e in context.of(Kind.THOUGHT)] == ["I know this."]


def test_a_long_message_is_shown_shortened_with_a_mark(run: Run, server: ModelServer) -> None:
    context = RecordingContext(single(description="Do it. " + "x" * 50_000))
    run(context)
    shown = context.of(Kind.ACTION, "llm.started")[0].data["messages"][-1]["content"]
    assert len(shown) < 3_000
    assert "more characters]" in shown


def test_inputs_fill_the_placeholders_of_agents_and_tasks(run: Run, server: ModelServer) -> None:
    spec = mission(
        [agent("writer") | {"role": "Expert in {topic}"}],
        [task("draft", "writer", description="Write {count} lines on {topic}.")],
        inputs={"topic": "heat pumps", "count": 2},
    )
    run(RecordingContext(spec))
    system, user = (m["content"] for m in server.exchanges[0].request["messages"])
    assert "Expert in heat pumps" in system
    assert "Write 2 lines on heat pumps." in user


def test_a_task_reads_the_outputs_that_its_context_names(run: Run, server: ModelServer) -> None:
    server.rules = [
        Rule(Reply("ALPHA"), last="Do first."),
        Rule(Reply("BETA"), last="Do second."),
    ]
    plan = [
        task("first", "writer"),
        task("second", "writer", context=[]),
        task("third", "writer"),
        task("fourth", "writer", context=["second"]),
    ]
    run(RecordingContext(mission([agent("writer")], plan)))
    _, second, third, fourth = (exchange.last_message for exchange in server.exchanges)
    assert "ALPHA" not in second
    assert "ALPHA" in third
    assert "BETA" in third
    assert "BETA" in fourth
    assert "ALPHA" not in fourth


def test_a_model_with_o1_somewhere_in_its_name_has_tools(
    run: Run, server: ModelServer, settings: Settings
) -> None:
    from service.agents import runner

    turbo1 = settings.model_copy(update={"model": "openai/turbo1"})
    runner.run(RecordingContext(single(tools=["calculator"])), turbo1)
    assert server.exchanges[0].request["model"] == "turbo1"
    assert server.exchanges[0].request["tools"]


def test_a_hierarchical_mission_is_led_by_a_manager(run: Run, server: ModelServer) -> None:
    delegation = {"task": "Count.", "context": "None.", "coworker": "The writer"}
    call = ToolCall("delegate_work_to_coworker", delegation)
    server.rules = [Rule(Reply(tool_calls=[call]), tools=True, times=1)]
    spec = mission([agent("writer")], [task("draft", "writer")], process="hierarchical")
    context = RecordingContext(spec)
    run(context)
    started = [event.agent for event in context.of(Kind.STATUS, "agent.started")]
    assert started == ["Crew Manager", "writer"]
    assert context.sum_of("prompt_tokens") == server.total("prompt_tokens")
