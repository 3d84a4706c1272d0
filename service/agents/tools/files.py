"""The tools `read_file` and `write_file`: the mission's own files, by name. There is no path to go astray."""

from pydantic import BaseModel, Field

from service.agents.context import MissionFile, RunContext
from service.agents.tools.tool import Place, Tool, refusal

PART_CHARS = 20_000  # of a file in one answer: some pages, which any model can still read
WRITE_MAX_BYTES = 1_000_000
FILES_MAX = 200  # that a mission may have, its inputs included
NAME_MAX_CHARS = 200
LISTED_MAX = 50


class ReadArgs(BaseModel):
    name: str = Field(description="The file's name, exactly as it is listed")
    offset: int = Field(default=0, ge=0, description="How many characters to skip")


class WriteArgs(BaseModel):
    name: str = Field(description="The file's name, such as report.md; an existing one is replaced")
    content: str = Field(description="The whole text of the file")


def read_file(context: RunContext, _place: Place) -> Tool:
    def run(name: str, offset: int = 0) -> str:
        content = context.read_file(name)
        if content is None:
            return refusal(f"there is no file {name!r}. {_listed(context.files())}")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return refusal(f"{name!r} is not text in UTF-8.")
        return _part(text, offset)

    return Tool(
        "read_file",
        f"Reads a text file of this mission. {_listed(context.files())}",
        ReadArgs,
        run,
    )


def write_file(context: RunContext, place: Place) -> Tool:
    def run(name: str, content: str) -> str:
        fault = _fault(name, content, context.files())
        if fault:
            return refusal(fault)
        context.write_file(name, content.encode(), agent=place.agent, task=place.task)
        return f"Wrote {name} with {len(content)} characters."

    return Tool(
        "write_file",
        "Writes a text file of this mission, for other agents and for people to download.",
        WriteArgs,
        run,
        one_by_one=True,
    )


def _listed(files: list[MissionFile]) -> str:
    if not files:
        return "There are no files yet."
    listed = ", ".join(f"{file.name} ({file.bytes} bytes)" for file in files[:LISTED_MAX])
    return f"There are: {listed}{', …' if len(files) > LISTED_MAX else ''}."


def _part(text: str, offset: int) -> str:
    part = text[offset : offset + PART_CHARS]
    left = len(text) - offset - len(part)
    if left <= 0:
        return part
    return f"{part}\n… [{left} more characters: go on with offset={offset + len(part)}]"


def _fault(name: str, content: str, files: list[MissionFile]) -> str | None:
    """Why a file cannot be written, None when it can."""
    if not 1 <= len(name) <= NAME_MAX_CHARS or any(c in "/\\" or ord(c) < 32 for c in name):
        return f"a file's name has 1 … {NAME_MAX_CHARS} characters, and no / or \\."
    if len(content.encode()) > WRITE_MAX_BYTES:
        return f"a file may have {WRITE_MAX_BYTES} bytes at most."
    if any(file.name == name and file.direction == "input" for file in files):
        return f"{name!r} is a file that the mission was given; choose another name."
    if len(files) >= FILES_MAX and name not in {file.name for file in files}:
        return f"a mission may have {FILES_MAX} files at most."
    return None
