"""A human's part: reviews in rounds, questions of an agent, and nothing that waits on a terminal."""

from collections.abc import Callable

import pytest

from service.agents.context import MissionResult
from service.events.kinds import Kind
from tests.agents.given import agent, mission, single, task
from tests.agents.recording import RecordingContext, nobody, said, said_earlier
from tests.model_server import ModelServer, Reply, Rule, ToolCall

pytestmark = pytest.mark.agents

Run = Callable[[RecordingContext], MissionResult]


def drafts(server: ModelServer, *texts: str) -> None:
    """The model's answers, one after the other."""
    server.rules = [Rule(Reply(text), times=1) for text in texts]


def conversation(server: ModelServer, exchange: int) -> list[tuple[str, str]]:
    messages = server.exchanges[exchange].request["messages"]
    return [(message["role"], message["content"]) for message in messages]


def test_a_review_goes_on_until_the_human_is_content(run: Run, server: ModelServer) -> None:
    drafts(server, "Draft one.", "Draft two.", "Draft three.")
    answers = [said("Shorter, please."), said("Now in rhyme."), said("")]
    context = RecordingContext(single(human_input=True), answers=list(answers))
    assert run(context).text == "Draft three."
    assert [q.context for q in context.questions] == ["Draft one.", "Draft two.", "Draft three."]
    assert [q.key for q in context.questions] == [f"review:draft:{n}" for n in (1, 2, 3)]
    assert {(q.type, q.agent, q.task) for q in context.questions} == {("text", "writer", "draft")}
    assert [result.text for result in context.results] == ["Draft three."]
    assert context.names(Kind.STATUS).count("agent.completed") == 1


def test_the_model_sees_its_draft_with_the_feedback(run: Run, server: ModelServer) -> None:
    drafts(server, "Draft one.", "Draft two.", "Draft three.")
    context = RecordingContext(
        single(human_input=True), answers=[said("Shorter."), said("Longer."), said("")]
    )
    run(context)
    roles = [role for role, _ in conversation(server, 2)]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert conversation(server, 2)[2][1] == "Draft one."
    assert "Shorter." in conversation(server, 2)[3][1]
    assert conversation(server, 2)[4][1] == "Draft two."
    assert "Longer." in conversation(server, 2)[5][1]


def test_with_tools_the_draft_is_in_the_conversation_once(run: Run, server: ModelServer) -> None:
    drafts(server, "Draft one.", "Draft two.")
    spec = single(tools=["calculator"], human_input=True)
    run(RecordingContext(spec, answers=[said("Shorter."), said("")]))
    roles = [role for role, _ in conversation(server, 1)]
    assert roles == ["system", "user", "assistant", "user"]


def test_the_draft_that_a_human_has_accepted_is_the_result(run: Run, server: ModelServer) -> None:
    drafts(server, "Another draft.")
    context = RecordingContext(
        single(human_input=True), answers=[said_earlier("", context="The draft they saw.")]
    )
    assert run(context).text == "The draft they saw."
    assert context.results[0].text == "The draft they saw."


def test_feedback_is_given_on_the_draft_that_the_human_saw(run: Run, server: ModelServer) -> None:
    drafts(server, "Another draft.", "Better.")
    context = RecordingContext(
        single(human_input=True),
        answers=[said_earlier("Shorter.", context="The draft they saw."), said("")],
    )
    assert run(context).text == "Better."
    assert conversation(server, 1)[2] == ("assistant", "The draft they saw.")


def test_a_long_draft_that_was_stored_cut_is_not_taken_for_another(
    run: Run, server: ModelServer
) -> None:
    draft = "word " * 10_000
    server.rules = [Rule(Reply(chunks=[draft]))]
    context = RecordingContext(
        single(human_input=True), answers=[said_earlier("", context=draft[:30_000] + "…")]
    )
    assert run(context).text == draft


def test_a_result_that_nobody_reviews_is_taken_and_that_is_said(
    run: Run, server: ModelServer
) -> None:
    context = RecordingContext(single(human_input=True), answers=[nobody])
    assert run(context).text == "All is well."
    assert "Nobody reviewed" in context.of(Kind.THOUGHT, "observation")[0].data["text"]


def test_a_review_is_asked_again_under_the_same_key_when_the_agent_is_tried_again(
    run: Run, server: ModelServer
) -> None:
    server.rules = [
        Rule(Reply("Draft one."), last="Do draft.", times=1),
        Rule(Reply("x", cut_after=0), any="Shorter.", times=1),
    ]
    answers = [said("Shorter."), said("Shorter."), said("")]
    context = RecordingContext(single(human_input=True), answers=list(answers))
    run(context)
    assert [q.key for q in context.questions] == [f"review:draft:{n}" for n in (1, 1, 2)]


def test_each_task_counts_its_own_reviews(run: Run, server: ModelServer) -> None:
    plan = [task(name, "writer", human_input=True) for name in ("first", "second")]
    context = RecordingContext(mission([agent("writer")], plan), answers=[said(""), said("")])
    run(context)
    assert [q.key for q in context.questions] == ["review:first:1", "review:second:1"]


def asking(question: str, options: list[str] | None = None) -> Rule:
    call = ToolCall("ask_human", {"question": question, "options": options})
    return Rule(Reply(tool_calls=[call]), tools=True, times=1)


def test_an_agent_asks_and_gets_the_answer(run: Run, server: ModelServer) -> None:
    server.rules = [asking("Which colour?"), asking("Which size?", ["S", "L"])]
    context = RecordingContext(single(tools=["ask_human"]), answers=[said("blue"), said("L")])
    run(context)
    first, second = context.questions
    assert (first.key, first.prompt, first.type) == ("ask:draft:1", "Which colour?", "text")
    assert (second.key, second.type, second.options) == ("ask:draft:2", "choice", ["S", "L"])
    assert server.exchanges[1].last_message == "blue"
    assert server.exchanges[2].last_message == "L"


def test_the_same_question_is_asked_again_when_the_agent_asks_it_again(
    run: Run, server: ModelServer
) -> None:
    server.rules = [asking("Ready?"), asking("Ready?")]
    context = RecordingContext(single(tools=["ask_human"]), answers=[said("no"), said("yes")])
    run(context)
    assert len(context.questions) == 2
    assert server.exchanges[2].last_message == "yes"


def test_an_agent_that_is_tried_again_asks_under_the_same_keys(
    run: Run, server: ModelServer
) -> None:
    server.rules = [
        asking("Which colour?"),
        Rule(Reply("x", cut_after=0), last="blue", times=1),
        asking("Which colour?"),
    ]
    context = RecordingContext(single(tools=["ask_human"]), answers=[said("blue")] * 2)
    run(context)
    assert [q.key for q in context.questions] == ["ask:draft:1", "ask:draft:1"]


def test_an_agent_that_work_is_delegated_to_twice_does_not_repeat_a_key(
    run: Run, server: ModelServer
) -> None:
    work = {"task": "Ask.", "context": "None.", "coworker": "The writer"}
    delegating = Reply(tool_calls=[ToolCall("delegate_work_to_coworker", work)])
    ask = asking("Which colour?").reply
    server.rules = [
        Rule(ask, last="Current Task: Ask.", times=2),
        Rule(delegating, system="Crew Manager", times=2),
    ]
    writer = agent("writer", tools=["ask_human"])
    spec = mission([writer], [task("draft", "writer")], process="hierarchical")
    context = RecordingContext(spec, answers=[said("blue")] * 2)
    run(context)
    assert [q.key for q in context.questions] == ["ask:draft:1", "ask:draft:2"]


def test_an_agent_is_told_that_nobody_answered(run: Run, server: ModelServer) -> None:
    server.rules = [asking("Which colour?")]
    run(RecordingContext(single(tools=["ask_human"]), answers=[nobody]))
    assert "Nobody answered in time" in server.exchanges[1].last_message


def test_an_answer_to_a_question_in_other_words_comes_with_that_question(
    run: Run, server: ModelServer
) -> None:
    server.rules = [asking("What colour would you like?")]
    answer = said_earlier("blue", prompt="Which colour?")
    run(RecordingContext(single(tools=["ask_human"]), answers=[answer]))
    assert "Which colour?" in server.exchanges[1].last_message
    assert "blue" in server.exchanges[1].last_message


def test_nothing_blocks_on_a_terminal(
    run: Run, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "service.agents.arithmetic.evaluate", lambda expression: int(input("How many? "))
    )
    call = ToolCall("calculator", {"expression": "?"})
    server.rules = [Rule(Reply(tool_calls=[call]), tools=True, times=1)]
    context = RecordingContext(single(tools=["calculator"]), answers=[said("7")])
    run(context)
    assert [(q.key, q.prompt) for q in context.questions] == [("input:draft:1", "How many?")]
    assert server.exchanges[1].last_message == "7"


def test_a_mission_writes_nothing_to_the_terminal(
    run: Run, server: ModelServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.rules = [
        Rule(Reply(tool_calls=[ToolCall("calculator", {"expression": "1+1"})]), times=1)
    ]
    run(RecordingContext(single(tools=["calculator"], human_input=True), answers=[said("")]))
    assert capfd.readouterr() == ("", "")
