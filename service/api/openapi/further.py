"""Links, offers and webhooks in the document: what few clients need."""

from service.api.openapi import examples as like
from service.api.openapi.operations import (
    answer,
    json_body,
    no_body,
    number,
    operation,
    path_id,
    query,
)
from service.api.openapi.values import ID, ID_OR_NULL, TEXT, listed, made_of, ref

MISSION = path_id("mission_id", "A mission.")
REQUEST = path_id("request_id", "A question.")
WEBHOOK = path_id("webhook_id", "A webhook.")

LINKS = {
    "/missions/{mission_id}/links": {
        "post": operation(
            "share_mission",
            "Sharing",
            "A link to one mission, to read",
            scope="run",
            parameters=[MISSION],
            body=json_body(ref("NewLink"), {"expires_s": 86_400, "name": "the customer"}),
            answers={201: answer("The link, told this once.", ref("Link"), like.LINK)},
            errors=("not_found",),
        )
    },
    "/requests/{request_id}/links": {
        "post": operation(
            "share_request",
            "Sharing",
            "A link to one question, to answer once",
            scope="answer",
            parameters=[REQUEST],
            body=json_body(ref("NewLink"), {"expires_s": 3600}),
            answers={201: answer("The link, told this once.", ref("Link"), like.LINK)},
            errors=("not_found",),
        )
    },
}

OFFERS = {
    "/me": {
        "get": operation(
            "read_me",
            "Missions",
            "What the caller may do",
            scope="read",
            answers={
                200: answer(
                    "Scopes; and, for who holds a share link, what it opens.",
                    made_of(name=TEXT, scopes=listed(TEXT), mission=ID_OR_NULL, request=ID_OR_NULL),
                    like.ME,
                )
            },
            errors=("unknown_field",),
        )
    },
    "/offers": {
        "get": operation(
            "list_offers",
            "Missions",
            "Models and tools that a mission may name",
            scope="read",
            answers={
                200: answer("Names.", made_of(models=listed(TEXT), tools=listed(TEXT)), like.OFFERS)
            },
            errors=("unknown_field",),
        )
    },
    "/projects": {
        "get": operation(
            "list_projects",
            "Missions",
            "What the operator has registered, with the inputs that each takes",
            scope="read",
            answers={
                200: answer(
                    "Projects.",
                    made_of(projects=listed(ref("Project"))),
                    {"projects": [like.PROJECT]},
                )
            },
            errors=("unknown_field",),
        )
    },
}

WEBHOOKS = {
    "/webhooks": {
        "post": operation(
            "create_webhook",
            "Webhooks",
            "Have events sent to an address",
            scope="admin",
            body=json_body(ref("NewWebhook"), like.NEW_WEBHOOK),
            answers={
                201: answer(
                    "The webhook, with its secret, told this once.",
                    ref("Webhook"), like.WEBHOOK | {"secret": "whsec_…"},
                )
            },
            errors=("not_found",),
        ),
        "get": operation(
            "list_webhooks",
            "Webhooks",
            "All of them",
            scope="admin",
            answers={
                200: answer(
                    "Webhooks, without their secrets.",
                    made_of(webhooks=listed(ref("Webhook"))),
                    {"webhooks": [like.WEBHOOK]},
                )
            },
            errors=("unknown_field",),
        ),
    },
    "/webhooks/{webhook_id}": {
        "delete": operation(
            "remove_webhook",
            "Webhooks",
            "Forget a webhook and its deliveries",
            scope="admin",
            parameters=[WEBHOOK],
            answers={200: answer("It is gone.", made_of(removed=ID), {"removed": 2})},
            errors=("not_found", "unknown_field", "invalid", "malformed_json", "body_too_large",
                    "body_too_slow", "unsupported_media_type"),
        )
    },
    "/webhooks/{webhook_id}/deliveries": {
        "get": operation(
            "list_deliveries",
            "Webhooks",
            "What was sent and what came of it, newest first",
            scope="admin",
            parameters=[
                WEBHOOK,
                query(
                    "status", {"enum": ["pending", "delivered", "failed"]}, "Only these."
                ),
                number("limit", 1, 200, "Left out: 50."),
            ],
            answers={
                200: answer(
                    "Deliveries.",
                    made_of(deliveries=listed(ref("Delivery"))),
                    {"deliveries": [like.DELIVERY]},
                )
            },
            errors=("unknown_field", "invalid", "not_found"),
        )
    },
    "/deliveries/{delivery_id}/redeliver": {
        "post": operation(
            "redeliver",
            "Webhooks",
            "Send one again, under the same id",
            scope="admin",
            parameters=[path_id("delivery_id", "A delivery.")],
            body=no_body(),
            answers={200: answer("It is due.", ref("Delivery"), like.DELIVERY)},
            errors=("not_found",),
        )
    },
}  # fmt: skip
