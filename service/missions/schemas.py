"""JSON Schemas that a mission gives for its results: which of them are taken. Follows no reference."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

# An engine makes classes of a schema, and a model has to read it.
NODES_MAX = 500


def faults(schema: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a schema as that of a task's result; nothing when it is taken."""
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), dict):
        yield 'it has to say "type": "object", and which "properties" there are'
        return
    nodes = list(_nodes(schema))
    if len(nodes) > NODES_MAX:
        yield f"it may have {NODES_MAX} parts at most"
    if any(not _is_local(node) for node in nodes):
        yield "a $ref may only point into the schema itself, with #/"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield f"it is no JSON Schema: {error.message[:200]}"


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for item in inside:
            yield from _nodes(item)


def _is_local(node: dict[str, Any]) -> bool:
    """Engines resolve references, and would fetch one that points elsewhere.

    Also where it is only a property called $ref: they do not tell the two apart.
    """
    return all(
        isinstance(node[key], str) and node[key].startswith("#/")
        for key in ("$ref", "$dynamicRef")
        if key in node
    )
