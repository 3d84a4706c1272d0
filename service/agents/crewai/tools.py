"""A Tool as crewai takes it."""

from typing import Any

from crewai.tools import BaseTool
from pydantic import PrivateAttr

from service.agents.tools.tool import Tool

# With a bound on its uses crewai runs a tool's calls one after the other.
USES_MAX = 100


def _never(*_: object) -> bool:
    return False


class CrewTool(BaseTool):
    """Calls a Tool. Never answered from a cache: the same call may have another answer later."""

    cache_function: Any = _never

    _tool: Tool = PrivateAttr()

    def __init__(self, tool: Tool) -> None:
        super().__init__(
            name=tool.name,
            description=tool.description,
            args_schema=tool.args_schema,
            max_usage_count=USES_MAX if tool.one_by_one else None,
        )
        self._tool = tool

    def _run(self, **args: Any) -> Any:
        return self._tool.run(**args)
