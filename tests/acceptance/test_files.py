"""Files of a real mission: given with it, read and written by agents, downloaded by people."""

import json
from typing import Any

import httpx
import pytest

from tests.acceptance.checking import check, ended
from tests.missions import agent, mission, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]


def upload(longline: Longline, spec: dict[str, Any], *files: tuple[str, bytes]) -> Any:
    parts = [("file", file) for file in files]
    response = httpx.post(
        f"{longline.url}/missions", data={"mission": json.dumps(spec)}, files=parts
    )
    assert response.status_code == 201, response.text
    return response.json()


def files(longline: Longline, mission_id: int) -> list[dict[str, Any]]:
    return httpx.get(f"{longline.url}/missions/{mission_id}/files").json()["files"]


def test_agents_read_what_a_mission_was_given_and_people_get_what_it_wrote(
    longline: Longline, model_server: ModelServer
) -> None:
    written = {"name": "Bericht – 1.md", "content": "# Wärme\n\nEs sind 42. ☀️"}
    model_server.rules = [
        Rule(Reply(tool_calls=[ToolCall("read_file", {"name": "notes.md"})]), times=1),
        Rule(Reply(tool_calls=[ToolCall("write_file", written)]), last="There are 42.", times=1),
        Rule(Reply("I wrote it down."), last="Wrote"),
    ]
    spec = mission(
        task("report", output_file="result.txt"), agents=[agent(tools=["read_file", "write_file"])]
    )
    created = upload(
        longline, spec, ("notes.md", b"There are 42."), ("more.bin", bytes(range(256)))
    )
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)

    listed = {file["name"]: file for file in files(longline, created["id"])}
    assert {name: file["direction"] for name, file in listed.items()} == {
        "notes.md": "input",
        "more.bin": "input",
        "Bericht – 1.md": "output",
        "result.txt": "output",
    }
    told = [e for e in events if (e["kind"], e["name"]) == ("OUTPUT", "file")]
    assert [(e["data"]["file"]["name"], e["agent"], e["task"]) for e in told] == [
        ("Bericht – 1.md", "writer", "report"),
        ("result.txt", "writer", "report"),
    ]
    for event in told:
        file = event["data"]["file"]
        assert file.items() <= listed[file["name"]].items()
    got = httpx.get(f"{longline.url}/files/{told[0]['data']['file']['id']}")
    assert got.content.decode() == written["content"]
    assert got.headers["Content-Disposition"].startswith("attachment;")


def test_a_file_that_is_written_twice_is_the_second_one(
    longline: Longline, model_server: ModelServer
) -> None:
    calls = [ToolCall("write_file", {"name": "a.txt", "content": text}) for text in ("one", "two")]
    model_server.rules = [Rule(Reply(tool_calls=[call]), tools=True, times=1) for call in calls]
    created = longline.client.create(mission(agents=[agent(tools=["write_file"])]))
    done = ended(longline, created["id"])
    check(longline, done, model_server)
    (file,) = files(longline, created["id"])
    assert httpx.get(f"{longline.url}/files/{file['id']}").text == "two"


def test_what_an_agent_writes_holds_no_secret(
    longline: Longline, model_server: ModelServer
) -> None:
    leak = {"name": "a.txt", "content": "the key is scripted-key-of-the-tests"}
    model_server.rules = [Rule(Reply(tool_calls=[ToolCall("write_file", leak)]), times=1)]
    created = longline.client.create(mission(agents=[agent(tools=["write_file"])]))
    ended(longline, created["id"])
    (file,) = files(longline, created["id"])
    assert httpx.get(f"{longline.url}/files/{file['id']}").text == "the key is [redacted]"


def test_a_mission_reads_no_other_missions_files(
    longline: Longline, model_server: ModelServer
) -> None:
    secret = upload(longline, mission(), ("theirs.txt", b"a secret of theirs"))
    ended(longline, secret["id"])
    model_server.exchanges.clear()
    call = ToolCall("read_file", {"name": "theirs.txt"})
    model_server.rules = [Rule(Reply(tool_calls=[call]), times=1)]
    created = longline.client.create(mission(agents=[agent(tools=["read_file"])]))
    ended(longline, created["id"])
    assert "there is no file" in model_server.exchanges[1].last_message
    assert "a secret of theirs" not in str(longline.events(created["id"]))


def test_http_get_reaches_nothing_on_this_machine(
    longline: Longline, model_server: ModelServer
) -> None:
    calls = [
        ToolCall("http_get", {"url": url}) for url in (f"{longline.url}/healthz", "http://[::1]/")
    ]
    model_server.rules = [Rule(Reply(tool_calls=[call]), tools=True, times=1) for call in calls]
    created = longline.client.create(mission(agents=[agent(tools=["http_get"])]))
    done = ended(longline, created["id"])
    events = check(longline, done, model_server)
    outputs = [e["data"]["output"] for e in events if e["name"] == "tool.finished"]
    assert len(outputs) == 2
    assert all(output.startswith("Error: ") for output in outputs)
