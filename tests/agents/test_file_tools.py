"""read_file and write_file: a mission's own files, by names that are never paths."""

from collections.abc import Callable

import pytest

from service.agents.context import MissionResult
from service.agents.tools import files
from service.agents.tools.tool import Tool
from service.events.kinds import Kind
from tests.agents.given import single
from tests.agents.recording import RecordingContext
from tests.model_server import ModelServer, Reply, Rule, ToolCall

Run = Callable[[RecordingContext], MissionResult]


class Here:
    agent, task = "writer", "draft"

    def number(self, kind: str) -> int:
        return 1


def tools(**given: bytes) -> tuple[RecordingContext, Tool, Tool]:
    """A mission with these files (x_md is x.md), and its two tools."""
    context = RecordingContext(single())
    context.given = {name.replace("_", "."): content for name, content in given.items()}
    return context, files.read_file(context, Here()), files.write_file(context, Here())


def test_a_file_is_read_by_its_name() -> None:
    _, read, _ = tools(notes_md="Żółw 🐢".encode())
    assert read.run(name="notes.md") == "Żółw 🐢"
    assert "notes.md (12 bytes)" in read.description


def test_a_long_file_is_read_in_parts_that_are_the_whole() -> None:
    text = "".join(f"line {n}\n" for n in range(6_000))
    _, read, _ = tools(long_txt=text.encode())
    parts, offset = [], 0
    while True:
        part, mark, rest = read.run(name="long.txt", offset=offset).partition("\n… [")
        parts.append(part)
        if not mark:
            break
        offset = int(rest.rpartition("=")[2].rstrip("]"))
    assert "".join(parts) == text
    assert len(parts) > 2


@pytest.mark.parametrize(
    "name", ["", "missing.md", "/etc/passwd", "../notes.md", "./notes.md", "notes.md\0", "NOTES.MD"]
)
def test_only_a_name_that_is_listed_is_a_file(name: str) -> None:
    _, read, _ = tools(notes_md=b"x")
    told = read.run(name=name)
    assert told.startswith("Error: there is no file")
    assert "notes.md" in told


def test_what_is_no_text_is_not_read() -> None:
    _, read, _ = tools(photo_png=b"\x89PNG\xff")
    assert "not text" in read.run(name="photo.png")


def test_what_is_written_can_be_read_and_replaced() -> None:
    context, read, write = tools()
    write.run(name="report.md", content="one")
    write.run(name="report.md", content="two")
    assert read.run(name="report.md") == "two"
    assert [(e.agent, e.task) for e in context.of(Kind.OUTPUT, "file")] == [("writer", "draft")] * 2


@pytest.mark.parametrize("name", ["", "a/b", "../x", "/etc/cron.d/x", "a\\b", "a\0", "x" * 201])
def test_a_name_that_could_be_a_path_is_not_written(name: str) -> None:
    context, _, write = tools()
    assert write.run(name=name, content="x").startswith("Error: ")
    assert context.written == {}


def test_a_file_that_the_mission_was_given_is_not_replaced() -> None:
    context, _, write = tools(notes_md=b"x")
    assert "was given" in write.run(name="notes.md", content="y")
    assert context.written == {}


def test_a_mission_cannot_write_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    context, _, write = tools()
    assert "at most" in write.run(name="big", content="ä" * files.WRITE_MAX_BYTES)
    monkeypatch.setattr(files, "FILES_MAX", 2)
    told = [write.run(name=name, content="x") for name in ("a", "b", "c", "a")]
    assert [text.startswith("Error: ") for text in told] == [False, False, True, False]
    assert set(context.written) == {"a", "b"}


@pytest.mark.agents
def test_an_agent_reads_what_it_was_given_and_writes(run: Run, server: ModelServer) -> None:
    server.rules = [
        Rule(Reply(tool_calls=[ToolCall("read_file", {"name": "notes.md"})]), times=1, tools=True),
        Rule(
            Reply(tool_calls=[ToolCall("write_file", {"name": "out.md", "content": "It is 42."})]),
            last="The answer is 42",
            times=1,
        ),
    ]
    context = RecordingContext(single(tools=["read_file", "write_file"]))
    context.given = {"notes.md": b"The answer is 42"}
    run(context)
    assert context.written == {"out.md": b"It is 42."}
    assert "notes.md" in str(server.exchanges[0].request["tools"])
