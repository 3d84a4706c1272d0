"""The OpenAPI document: valid, equal to the routes, with every error code and examples that fit."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from service.api.openapi.document import document
from service.api.openapi.next_steps import LINKS
from service.errors import ERRORS
from tests.api.server import Server

DOCUMENT = document()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]
NAMES = [f"{method} {path}" for method, path, _operation in OPERATIONS]


def fits(schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value, by a schema of the document."""
    return [error.message for error in Draft202012Validator(inlined(schema)).iter_errors(value)]


def inlined(schema: Any) -> Any:
    """The schema with the document's values beside it."""
    return {**moved(schema), "$defs": moved(DOCUMENT["components"]["schemas"])}


def moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: item.replace("#/components/schemas/", "#/$defs/") if key == "$ref" else moved(item)
            for key, item in value.items()
        }
    return [moved(item) for item in value] if isinstance(value, list) else value


def test_the_document_is_openapi():
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_routes_and_document_are_equal(shared: Server):
    served = {
        (method, re.sub("<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule))
        for rule in shared.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for method, path, _operation in OPERATIONS} == served


def test_every_code_of_an_error_is_in_it():
    told = {
        code
        for _method, _path, operation in OPERATIONS
        for answer in operation["responses"].values()
        for code in answer.get("content", {})
        .get("application/problem+json", {})
        .get("examples", {})
    }
    assert told == set(ERRORS) - {"method_not_allowed"}  # of a path, not of an operation
    assert "method_not_allowed" in DOCUMENT["info"]["description"]


def test_every_operation_has_a_name_of_its_own_and_a_sentence():
    names = [operation["operationId"] for _method, _path, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for _method, _path, operation in OPERATIONS)
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    assert {tag for *_, operation in OPERATIONS for tag in operation["tags"]} == tags


def test_every_answer_that_leads_somewhere_leads_to_an_operation_and_its_parameter():
    takes = {
        operation["operationId"]: {
            parameter["name"] for parameter in operation.get("parameters", ())
        }
        for _method, _path, operation in OPERATIONS
    }
    led = [
        (name, link)
        for _method, _path, operation in OPERATIONS
        for answer in operation["responses"].values()
        for name, link in answer.get("links", {}).items()
    ]
    assert {name for name, _link in led} == {name for links in LINKS.values() for name in links}
    for name, link in led:
        assert link["operationId"] == name
        assert link["parameters"].keys() <= takes[name]


@pytest.mark.parametrize(("_method", "_path", "operation"), OPERATIONS, ids=NAMES)
def test_every_json_has_an_example_and_every_example_fits(_method, _path, operation):
    contents = [*operation["responses"].values(), operation.get("requestBody", {"content": {}})]
    for content in contents:
        for media, told in content.get("content", {}).items():
            examples = [e["value"] for e in told.get("examples", {}).values()]
            examples += [told["example"]] if "example" in told else []
            if media in ("application/json", "application/problem+json"):
                empty = told["schema"].get("additionalProperties") is False
                assert examples or empty, media
            for example in examples:
                assert fits(told["schema"], example) == []


def test_the_document_and_the_page_are_served_to_anybody(tmp_path):
    with Server(tmp_path, auth="required") as server:
        answer = server.get("/openapi.json")
        assert answer.get_json()["paths"].keys() == DOCUMENT["paths"].keys()
        page = server.get("/docs")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
