"""Which graphs need an event loop: those with a step or a tool that is async and nothing else."""

from typing import Any

from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel


def needs_loop(graph: Any) -> bool:
    """Whether some part of a compiled graph, or of one inside it, cannot be called without a loop."""
    return any(_only_async(node.bound) for node in graph.nodes.values())


def _only_async(part: Any) -> bool:
    match part:
        case Pregel():
            return needs_loop(part)
        case ToolNode():
            return any(_only_async(tool) for tool in part.tools_by_name.values())
    return getattr(part, "func", part) is None or any(
        _only_async(step) for step in getattr(part, "steps", ())
    )
