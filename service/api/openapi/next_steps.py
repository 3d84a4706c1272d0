"""Where an answer leads: OpenAPI's links, from what one operation tells to what another one takes."""

from typing import Any

from service.api.openapi.values import Schema


def _to(operation: str, text: str, **parameters: str) -> dict[str, Schema]:
    """parameters: a pointer into the answer's body, or an expression of OpenAPI's."""
    found = {
        name: where if where.startswith("$") else f"$response.body#{where}"
        for name, where in parameters.items()
    }
    return {operation: {"operationId": operation, "description": text, "parameters": found}}


def _of_a_mission(at: str) -> dict[str, Schema]:
    return {
        **_to("get_mission", "How it stands.", mission_id=at),
        **_to("mission_events", "What happens to it.", mission_id=at),
        **_to("list_files", "What it was given and has made.", mission_id=at),
        **_to("cancel_mission", "Order it to end.", mission_id=at),
        **_to("retry_mission", "The same again.", mission_id=at),
        **_to("share_mission", "Let somebody read it.", mission_id=at),
    }


def _of_a_request(at: str) -> dict[str, Schema]:
    return {
        **_to("get_request", "The question.", request_id=at),
        **_to("answer_request", "Answer it.", request_id=at),
        **_to("share_request", "Let somebody answer it.", request_id=at),
    }


LINKS: dict[tuple[str, str], dict[str, Schema]] = {
    ("all_events", "200"): _to("all_events", "What comes behind these.", after="/next"),
    ("mission_events", "200"): _to(
        "mission_events",
        "What comes behind these.",
        mission_id="$request.path.mission_id",
        after="/next",
    ),
    ("create_mission", "201"): _of_a_mission("/id"),
    ("retry_mission", "201"): _of_a_mission("/id"),
    ("list_missions", "200"): {
        **_of_a_mission("/missions/0/id"),
        **_to("all_events", "What happens from this view on.", after="/as_of"),
    },
    ("get_mission", "200"): _to("get_request", "What it asks.", request_id="/requests/0"),
    ("list_files", "200"): _to("get_file", "Its bytes.", file_id="/files/0/id"),
    ("list_requests", "200"): _of_a_request("/requests/0/id"),
    ("get_request", "200"): _of_a_request("/id"),
    ("create_webhook", "201"): {
        **_to("list_deliveries", "What was sent.", webhook_id="/id"),
        **_to("remove_webhook", "Forget it.", webhook_id="/id"),
    },
    ("list_webhooks", "200"): _to("list_deliveries", "What was sent.", webhook_id="/webhooks/0/id"),
    ("list_deliveries", "200"): _to("redeliver", "Send it again.", delivery_id="/deliveries/0/id"),
}


def linked(paths: dict[str, Any]) -> dict[str, Any]:
    """The paths, each answer with what it leads to."""
    return {
        path: {method: _linked(operation) for method, operation in item.items()}
        for path, item in paths.items()
    }


def _linked(operation: Schema) -> Schema:
    answers = dict(operation["responses"])
    for status in answers:
        links = LINKS.get((operation["operationId"], status))
        if links is not None:
            answers[status] = {**answers[status], "links": links}
    return {**operation, "responses": answers}
