"""Share links: one mission to read, or one question to answer, once; for somebody without a token.

A link holds a token of its own, so it expires, can be revoked, and cannot be guessed or changed. Opening
one puts it into a cookie: addresses are kept in histories and logs, where nobody should find a way in.
"""

import re
from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import Field
from sqlalchemy import Connection

from service import clock
from service.api.access import LINK_COOKIE, allow
from service.api.answers import json_answer, see_other
from service.api.parsing import arguments, decode, fit, json_body
from service.api.services import services
from service.api.static import rendered
from service.missions import queries
from service.missions.spec import Strict
from service.requests import view
from service.security import audit, tokens
from service.security.tokens import Access

WEEK_S, LONGEST_S = 7 * 86_400, 90 * 86_400
TOKEN = re.compile(r"ll_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")

blueprint = Blueprint("links", __name__)


class LinkBody(Strict):
    """What a link is made from. expires_s: how long it opens something."""

    expires_s: Annotated[int, Field(ge=60, le=LONGEST_S)] = WEEK_S
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None


@blueprint.post("/missions/<id:mission_id>/links")
def to_mission(mission_id: int) -> Response:
    """A link to one mission, to read."""
    access = allow("run")
    body = _body()
    with services().db.transaction() as conn:
        queries.require(conn, access.workspace_id, [mission_id])
        return _made(conn, access, body, ["read"], mission_id=mission_id)


@blueprint.post("/requests/<id:request_id>/links")
def to_request(request_id: int) -> Response:
    """A link to one question, to answer once."""
    access = allow("answer")
    body = _body()
    with services().db.transaction() as conn:
        view.one(conn, access.workspace_id, request_id)
        return _made(conn, access, body, ["read", "answer"], request_id=request_id)


@blueprint.get("/s/<token>")
def opened(token: str) -> Response:
    """Keep the link as a cookie and go on to what it opens."""
    access = tokens.open_with(services().db.few, token) if TOKEN.fullmatch(token) else None
    if access is None or not access.is_link:
        return rendered("templates/gone.html", 404)
    path = f"/q/{access.request_id}" if access.mission_id is None else f"/m/{access.mission_id}"
    response = see_other(path)
    # Lax: who comes from a mail or a chat is still on the way from another site when we redirect.
    response.set_cookie(
        LINK_COOKIE, token, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
    )
    return response


def _body() -> LinkBody:
    arguments()
    return fit(LinkBody, decode(json_body()))


def _made(
    conn: Connection, access: Access, body: LinkBody, scopes: list[str], **opens: int
) -> Response:
    expires_ms = clock.now_ms() + body.expires_s * 1000
    # Whoever answers through it is remembered under this name.
    name = body.name or f"a link of {access.name}"
    token = tokens.create(
        conn, access.workspace_id, scopes, name=name, expires_ms=expires_ms, **opens
    )
    [(what, number)] = opens.items()
    subject = f"link {tokens.id_of(token)} to {what.removesuffix('_id')} {number}"
    audit.note(conn, access, "link.created", subject)
    made: dict[str, Any] = {
        "id": tokens.id_of(token),
        "path": f"/s/{token}",
        "expires_at": clock.rfc3339(expires_ms),
    }
    return json_answer(made, 201)
