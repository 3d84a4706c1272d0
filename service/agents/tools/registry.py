"""From the name of a tool in a mission to the tool. Which names a mission may use is the operator's say."""

from collections.abc import Callable, Mapping

from service.agents.context import MissionFailed, RunContext
from service.agents.tools import calculator, files, further, http_get, human
from service.agents.tools.tool import Place, Tool
from service.config import Settings

Maker = Callable[[RunContext, Place], Tool]

# The names are those of `service.missions.spec.TOOLS`; a test holds the two together.
BUILT_IN: Mapping[str, Maker] = {
    "ask_human": human.ask_human,
    "calculator": lambda _context, _place: calculator.CALCULATOR,
    "http_get": lambda _context, _place: http_get.HTTP_GET,
    "read_file": files.read_file,
    "write_file": files.write_file,
}


def make(name: str, context: RunContext, place: Place, settings: Settings) -> Tool:
    """The tool of this name.

    Raises MissionFailed `tool_not_allowed`, or `tool_unavailable` when the operator's tool cannot
    be had here.
    """
    if name in BUILT_IN:
        return BUILT_IN[name](context, place)
    if name not in settings.further_tools:
        raise MissionFailed("tool_not_allowed", f"This server does not offer the tool {name}.")
    return further.make(name)
