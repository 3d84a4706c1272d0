"""The command line in front of a person: a question is shown, what is typed is the answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.client import Client
from tests.cli.terminal import Terminal, environment
from tests.client.writer import Writer
from tests.contract import given as the
from tests.folding import faults
from tests.processes import Longline, until

pytestmark = pytest.mark.processes


@pytest.fixture
def spec(tmp_path: Path) -> str:
    file = tmp_path / "mission.yaml"
    file.write_text(json.dumps(the.SPEC))
    return str(file)


def server(web: Longline) -> dict[str, str]:
    return environment(LONGLINE_URL=web.url)


def test_a_question_is_answered_by_typing_and_the_mission_goes_on(
    web: Longline, writer: Writer, spec: str
) -> None:
    with Terminal("run", spec, env=server(web)) as terminal:
        claim = until(lambda: claimed(writer), what="mission")
        the.record(writer.db, claim, the.delta("Heat pumps "), the.delta("move heat."))
        terminal.wait_for("Heat pumps move heat.")
        the.finish_task(writer.db, claim, "research")
        terminal.wait_for("1/2 tasks")
        request_id = writer.ask(claim)
        terminal.wait_for("?? Is this draft right?")
        terminal.type("shorter, please\n")
        assert the.take_answer(writer.db, request_id).value == "shorter, please"
        terminal.wait_for("'shorter, please'")
        writer.complete(claim)
        assert terminal.ended() == 0
    assert faults(web.events(claim.mission_id)) == []


def test_a_question_that_somebody_else_answers_goes_away(
    web: Longline, writer: Writer, spec: str
) -> None:
    with Terminal("run", spec, env=server(web)) as terminal:
        claim = until(lambda: claimed(writer), what="mission")
        request_id = writer.ask(claim)
        terminal.wait_for("Is this draft right?")
        with Client(web.url) as client:
            client.answer(request_id, "from the page")
        terminal.wait_for("'from the page'")
        writer.complete(claim)
        assert terminal.ended() == 0


def test_what_does_not_fit_is_asked_again(web: Longline, writer: Writer, spec: str) -> None:
    with Terminal("run", spec, env=server(web)) as terminal:
        claim = until(lambda: claimed(writer), what="mission")
        asked = the.question(type="choice", options=["red", "blue"])
        request_id = the.ask(writer.db, claim, asked)
        terminal.wait_for("2  blue")
        terminal.type("green\n")
        terminal.wait_for("Type 1 … 2")
        terminal.type("2\n")
        assert the.take_answer(writer.db, request_id).value == "blue"
        writer.complete(claim)
        assert terminal.ended() == 0


def test_ctrl_c_leaves_the_mission_alone_and_says_how_to_come_back(
    web: Longline, writer: Writer, spec: str
) -> None:
    with Terminal("run", spec, env=server(web)) as terminal:
        claim = until(lambda: claimed(writer), what="mission")
        terminal.wait_for("mission.running")
        terminal.type("\x03")
        assert terminal.ended() == 130
        assert f"longline tail {claim.mission_id}" in terminal.text
    assert web.client.mission(claim.mission_id)["status"] == "running"
    the.end_cancelled(writer.db, claim)


def test_escape_sequences_of_a_model_do_not_reach_the_terminal(
    web: Longline, writer: Writer
) -> None:
    claim = writer.begin()
    writer.say(claim, 1, "a\x1b]0;owned\x07b\x9b2J")
    writer.complete(claim)
    with Terminal("tail", str(claim.mission_id), env=server(web)) as terminal:
        assert terminal.ended() == 0
        assert "\x1b]0;" not in terminal.raw
        assert "\x9b" not in terminal.raw
        assert "\x07" not in terminal.raw


def test_the_inbox_asks_one_question_after_the_other(web: Longline, writer: Writer) -> None:
    claim = writer.begin()
    first = the.ask(writer.db, claim, the.question("a"))
    second = the.ask(writer.db, claim, the.question("b", type="approval"))
    with Terminal("answer", env=server(web)) as terminal:
        terminal.wait_for(f"Request {first}")
        terminal.type("fine\n")
        terminal.wait_for(f"Request {second}")
        terminal.type("n because it costs\n")
        assert terminal.ended() == 0
    assert the.take_answer(writer.db, first).value == "fine"
    rejected = {"decision": "reject", "comment": "because it costs"}
    assert the.take_answer(writer.db, second).value == rejected
    writer.complete(claim)


def claimed(writer: Writer) -> Any:
    try:
        return writer.claim()
    except AssertionError:
        return None
