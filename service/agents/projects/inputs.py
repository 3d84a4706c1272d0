"""What a project has to be given, as the JSON Schema of an object: enough for a form."""

from collections.abc import Mapping
from typing import Any, get_type_hints

from pydantic import PydanticUserError

from service.agents.projects.loading import Loaded

# crewai puts these into its placeholders; anything else it refuses.
PLAIN = ["string", "number", "boolean"]
OURS = ("id",)  # of a flow's state: crewai makes it
SIMPLE: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
WRAPPED = "input"  # the name that a runnable's input has when it is no object by itself
ROOT = "root"


def schema(loaded: Loaded) -> dict[str, Any]:
    """Raises whatever the project's own classes raise."""
    match loaded.kind:
        case "crew":
            return _crew(loaded)
        case "flow":
            return _flow(loaded.thing)
        case "graph":
            return _graph(loaded.thing)
    return _runnable(loaded.thing)


def _crew(loaded: Loaded) -> dict[str, Any]:
    names = sorted({*loaded.thing.fetch_inputs(), *loaded.defaults})
    properties = {name: _plain(name, loaded.defaults) for name in names}
    required = [name for name in names if name not in loaded.defaults]
    # What happens before the kickoff may take or make inputs that no placeholder names.
    hooked = bool(loaded.thing.before_kickoff_callbacks)
    return _object(properties, [] if hooked else required, more=hooked)


def _plain(name: str, defaults: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": PLAIN, "title": name.replace("_", " ")}
    return found | ({"default": defaults[name]} if name in defaults else {})


def _flow(flow: Any) -> dict[str, Any]:
    """The state's schema; of a state without one, what is in it at the start."""
    state = flow.state
    described = getattr(type(state), "model_json_schema", None)
    if callable(described) and getattr(type(state), "model_fields", None):
        found: dict[str, Any] = described()
        properties = {k: v for k, v in found.get("properties", {}).items() if k not in OURS}
        required = [name for name in found.get("required", []) if name not in OURS]
        whole = _object(properties, required, more=False)
        return whole | ({"$defs": found["$defs"]} if "$defs" in found else {})
    begin = dict(state) if isinstance(state, dict) else {}
    properties = {k: {"default": v} for k, v in begin.items() if k not in OURS}
    return _object(properties, [], more=True)


def _graph(graph: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = dict(graph.get_input_jsonschema())
    except PydanticUserError:  # of typing.TypedDict, which pydantic refuses before Python 3.12
        return _object(_channels(graph), [], more=True)
    properties = dict(found.get("properties", {}))
    if "messages" in properties:
        # langgraph makes a message of a text; that is what a form has.
        properties["messages"] = {"type": ["string", "array", "object"], "title": "messages"}
        found = {k: v for k, v in found.items() if k != "$defs"}
    found["properties"] = properties
    return {"type": "object", **found}


def _channels(graph: Any) -> dict[str, Any]:
    """What a graph takes, by the type hints of its state."""
    state = getattr(getattr(graph, "builder", None), "state_schema", None)
    hints = get_type_hints(state) if state is not None else {}
    return {name: _typed(hint, name) for name, hint in hints.items()}


def _typed(hint: Any, name: str) -> dict[str, Any]:
    return {"title": name, **({"type": SIMPLE[hint]} if hint in SIMPLE else {})}


def _runnable(runnable: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict(runnable.get_input_jsonschema())
    if _takes_object(found):
        return found
    inner = {k: v for k, v in found.get("properties", {}).get(ROOT, found).items() if k != "$defs"}
    whole = _object({WRAPPED: inner}, [WRAPPED], more=False)
    return whole | ({"$defs": found["$defs"]} if "$defs" in found else {})


def given(loaded: Loaded, inputs: dict[str, Any]) -> Any:
    """What is handed to a graph or a runnable: the inputs, or the one value that they wrap."""
    if loaded.kind == "runnable" and not _takes_object(loaded.thing.get_input_jsonschema()):
        return inputs[WRAPPED]
    return dict(inputs)


def _takes_object(found: dict[str, Any]) -> bool:
    # A root is what langchain makes of steps beside each other that take anything.
    return found.get("type") == "object" and set(found.get("properties", {})) != {ROOT}


def _object(properties: dict[str, Any], required: list[str], *, more: bool) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": more,
    }
