"""Canaries: secrets put wherever they may come from are found in no table, log, page, file or metric."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.checking import ended
from tests.acceptance.equipment import install_tools
from tests.conftest import settings_for
from tests.folding import differences, faults
from tests.missions import agent, mission, spoken, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline

pytestmark = [pytest.mark.processes, pytest.mark.agents]

IN_ENVIRONMENT = "canary-of-the-environment-5d1c"
PASSWORD = "canary-of-a-database-77aa"
UNLISTED = "canary-without-a-telling-name"
LISTED = "canary-that-the-operator-allows"
# Not known from anywhere: recognised by their form.
IN_PROMPT = "sk-canaryofaprompt0123456789abcdef"
IN_TOOL = "ghp_canaryofatool0123456789012345678901234"
IN_STDOUT = "AKIACANARYOFSTDOUT12"
IN_STREAM = "sk-canaryofamodel9876543210fedcba"
SECRETS = [IN_ENVIRONMENT, PASSWORD, IN_PROMPT, IN_TOOL, IN_STDOUT, IN_STREAM]

TOOLS = f'''
import logging
import os
import time
from pathlib import Path

def linger(file: str) -> str:
    """Looks at what it can see of the environment."""
    seen = [*(f"{{name}}={{value}}" for name, value in os.environ.items())]
    seen += Path("/proc/self/environ").read_bytes().decode(errors="replace").split(chr(0))
    seen.sort()
    Path(file).write_text("\\n".join(seen))
    return "looked"

def note(file: str) -> str:
    """Says what it should not say, in every way, in halves."""
    for secret in {[IN_ENVIRONMENT, PASSWORD, IN_STDOUT]}:
        for part in (secret[:7], secret[7:] + "\\n"):
            os.write(1, part.encode())
            os.write(2, part.encode())
            time.sleep(0.1)  # for the other side to read what there is
        print("a" * 8185 + secret, flush=True)
    logging.getLogger("house").warning("using %s", "{IN_TOOL}")
    Path("left.txt").write_text("{IN_TOOL}")
    return "the key is {IN_TOOL}, and {IN_ENVIRONMENT}"
'''


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory, endpoint: ModelServer) -> Iterator[Longline]:
    """A server whose environment, tools and model are full of secrets."""
    folder = tmp_path_factory.mktemp("careless")
    install_tools(folder / "site")
    (folder / "site" / "house_tools.py").write_text(TOOLS)
    settings = {
        **settings_for(endpoint),
        "PYTHONPATH": str(folder / "site"),
        "LONGLINE_TOOLS": "linger,note",
        "LONGLINE_CHILD_ENV": "HOUSE_*",
        "HOUSE_SETTING": LISTED,
        "SOME_API_KEY": IN_ENVIRONMENT,
        "REPORTS": f"postgres://reader:{PASSWORD}@db.example.org/reports",
        "UNLISTED": UNLISTED,
    }
    with Longline(folder, **settings) as running:
        yield running


def test_a_tool_sees_the_variables_on_the_list_and_no_others(
    careless: Longline, endpoint: ModelServer
) -> None:
    seen = careless.folder / "seen.txt"
    endpoint.rules = [
        Rule(Reply(tool_calls=[ToolCall("linger", {"file": str(seen)})]), tools=True, times=1),
        Rule(Reply("Looked.")),
    ]
    plan = mission(agents=[agent(tools=["linger"])])
    ended(careless, careless.client.create(plan)["id"])
    lines = seen.read_text().splitlines()
    names = {line.partition("=")[0] for line in lines}
    assert {"PATH", "HOUSE_SETTING", "CREWAI_DISABLE_TELEMETRY"} <= names
    assert f"HOUSE_SETTING={LISTED}" in lines
    for canary in (*SECRETS, UNLISTED, "scripted-key-of-the-tests"):
        assert canary not in seen.read_text()
    assert not {name for name in names if name.startswith(("OPENAI_", "LONGLINE_"))}


def test_a_secret_is_found_nowhere_wherever_it_came_from(
    careless: Longline, endpoint: ModelServer
) -> None:
    said = ["My", " key is ", IN_STREAM[:6], IN_STREAM[6:20], IN_STREAM[20:], " and ",
            IN_ENVIRONMENT[:3], IN_ENVIRONMENT[3:9], IN_ENVIRONMENT[9:], "."]  # fmt: skip
    written = {"name": "keys.md", "content": f"{IN_TOOL} {IN_ENVIRONMENT}"}
    endpoint.rules = [
        Rule(Reply(tool_calls=[ToolCall("note", {"file": IN_ENVIRONMENT})]), tools=True, times=1),
        Rule(Reply(tool_calls=[ToolCall("write_file", written)]), tools=True, times=1),
        Rule(Reply(chunks=said, delay_s=0.08)),  # each piece in a batch of its own
    ]
    plan = mission(
        task("draft", description=f"Do the task draft with {IN_PROMPT}.", output_file="out.md"),
        agents=[agent(tools=["note", "write_file"], backstory=f"You know {IN_ENVIRONMENT}.")],
        title=f"With {IN_PROMPT}",
        inputs={"key": IN_PROMPT},
    )
    done = ended(careless, careless.client.create(plan)["id"])
    events = careless.events(done["id"])
    assert (differences(events, done), faults(events)) == ({}, [])
    assert list(spoken(events).values())[-1] == "My key is [redacted] and [redacted]."
    assert done["result"]["text"] == "My key is [redacted] and [redacted]."

    for name, text in everything(careless, done).items():
        found = [secret for secret in SECRETS if secret in text]
        assert not found, f"{found} in {name}"


def everything(longline: Longline, done: Any) -> dict[str, str]:
    """All that a user, an operator or a thief of the disk gets to see, as text by where it was."""
    seen = {}
    paths = ["/", f"/m/{done['id']}", f"/m/{done['id']}/plain", "/plain", "/missions", "/events?limit=1000",
             f"/missions/{done['id']}", "/requests", "/metrics", "/offers", "/doctor"]  # fmt: skip
    files = httpx.get(f"{longline.url}/missions/{done['id']}/files").json()["files"]
    assert {file["name"] for file in files} == {"keys.md", "out.md"}
    for path in [*paths, *(f"/files/{file['id']}" for file in files)]:
        answer = httpx.get(longline.url + path)
        assert answer.is_success, path
        seen[path] = answer.text + str(answer.headers)
    kept = [path for path in Path(longline.folder / "data").rglob("*") if path.is_file()]
    assert any(path.name == "longline.db" for path in kept)
    for path in [*kept, longline.folder / "web.log", longline.folder / "worker.log"]:
        seen[str(path)] = path.read_bytes().decode(errors="replace")
    return seen
