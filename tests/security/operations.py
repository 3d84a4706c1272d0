"""The operations of the document, as requests are made from them."""

import json
from collections.abc import Iterator
from typing import Any

from service.api.openapi.document import document

JSON = "application/json"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path with ids in it, operation) of the API; pages for people say it in their own way."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            if "Pages" not in operation["tags"]:
                yield method.upper(), path, operation


def filled(path: str) -> str:
    """The path of what there is: everything has the number 1."""
    for name in ("mission_id", "request_id", "file_id", "webhook_id", "delivery_id"):
        path = path.replace(f"{{{name}}}", "1")
    return path


def good_body(operation: dict[str, Any]) -> tuple[bytes | None, dict[str, str]]:
    content = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if content is None:
        return None, {}
    examples = [e["value"] for e in content.get("examples", {}).values()]
    example = examples[0] if examples else content.get("example", {})
    return json.dumps(example).encode(), {"Content-Type": JSON}
