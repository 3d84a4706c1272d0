"""Tools that an operator adds: entry points of the group `longline.tools`, and crewai-tools by name.

Only names that the operator allows come here: what they load is code.
"""

import inspect
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, get_type_hints

from crewai.tools import BaseTool
from pydantic import BaseModel, create_model

from service.agents.context import MissionFailed
from service.agents.tools.tool import Tool

GROUP = "longline.tools"
CREWAI_TOOLS = "crewai_tools"


def make(name: str) -> Tool:
    """The tool of this name. Raises MissionFailed `tool_unavailable`."""
    try:
        return _as_tool(name, _found(name))
    except MissionFailed:
        raise
    except Exception as error:
        # The operator's code: what it says is for the log, and may hold anything.
        raise _unavailable(name, f"it cannot be made ({type(error).__name__})") from error


def _found(name: str) -> Any:
    for entry in entry_points(group=GROUP, name=name):
        return entry.load()
    if find_spec(CREWAI_TOOLS) is not None:
        found = getattr(import_module(CREWAI_TOOLS), name, None)
        if isinstance(found, type) and issubclass(found, BaseTool):
            return found
    hint = "" if find_spec(CREWAI_TOOLS) else ", and crewai-tools is not installed"
    raise _unavailable(name, f"no entry point of the group {GROUP} has this name{hint}")


def _as_tool(name: str, found: Any) -> Tool:
    """found: a crewai tool, its class, or a function with type hints and a docstring."""
    if isinstance(found, type) and issubclass(found, BaseTool):
        found = found()  # type: ignore[call-arg]  # those that can be used so have defaults for all
    if isinstance(found, BaseTool):
        counted = found.max_usage_count is not None
        return Tool(name, found.description, found.args_schema, _method(found), counted)
    if inspect.isfunction(found):
        return Tool(name, _told(name, found), _args(found), found)
    raise _unavailable(name, "its entry point is neither a function nor a crewai tool")


def _method(tool: BaseTool) -> Callable[..., Any]:
    return lambda **args: tool.run(**args)


def _told(name: str, function: Callable[..., Any]) -> str:
    told = inspect.getdoc(function)
    if not told:
        raise _unavailable(name, "its function has no docstring, which is what a model is told")
    return told


def _args(function: Callable[..., Any]) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {
        parameter.name: (
            hints.get(parameter.name, str),
            ... if parameter.default is parameter.empty else parameter.default,
        )
        for parameter in inspect.signature(function).parameters.values()
    }
    return create_model(f"{function.__name__}_args", **fields)


def _unavailable(name: str, reason: str) -> MissionFailed:
    return MissionFailed("tool_unavailable", f"The tool {name} cannot be used: {reason}.")
