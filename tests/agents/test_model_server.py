"""The scripted model: what it says it sent is what arrives."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.model_server import DEFAULT_TEXT, ModelServer, Reply, Rule, ToolCall


def ask(base_url: str, text: str, **further: object) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **further}
    return httpx.post(f"{base_url}/chat/completions", json=body)


def chunks(response: httpx.Response) -> list[dict]:
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("escaped", [False, True])
def test_a_stream_is_the_text_in_pieces_and_then_the_usage(escaped: bool) -> None:
    text = "Zwei Sätze.\n\n🐢 Und   Schluss. "
    with ModelServer([Rule(Reply(text, escaped=escaped))]) as server:
        response = ask(server.base_url, "Hi", stream=True, stream_options={"include_usage": True})
        *pieces, usage = chunks(response)
        assert "".join(p["choices"][0]["delta"].get("content", "") for p in pieces) == text
        assert usage["usage"] == server.exchanges[0].usage
        assert server.texts() == [text]


def test_the_first_rule_that_fits_and_is_not_used_up_answers() -> None:
    rules = [Rule(Reply("one"), last="Hi", times=1), Rule(Reply("two"), last="Hi")]
    with ModelServer(rules) as server:
        replies = [ask(server.base_url, text).json() for text in ("Hi", "Hi", "Hi", "Bye")]
    said = [reply["choices"][0]["message"]["content"] for reply in replies]
    assert said == ["one", "two", "two", DEFAULT_TEXT]


def test_an_answer_can_break_off() -> None:
    with ModelServer([Rule(Reply("one two three", cut_after=2))]) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            ask(server.base_url, "Hi", stream=True)
        assert server.exchanges[0].text == "one two"
        assert not server.exchanges[0].finished


def test_it_runs_as_a_program_with_a_script(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    call = ToolCall("add", {"a": 1})
    reply = {"tool_calls": [{"name": call.name, "arguments": call.arguments}]}
    script.write_text(json.dumps([{"last": "Hi", "reply": reply}]))
    command = [sys.executable, "-m", "tests.model_server", "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        message = ask(base_url, "Hi").json()["choices"][0]["message"]
        exchanges = httpx.get(base_url.removesuffix("/v1") + "/exchanges").json()
        process.terminate()
    assert message["tool_calls"][0]["function"]["arguments"] == call.text
    assert [exchange["tool_args"] for exchange in exchanges] == [call.text]
