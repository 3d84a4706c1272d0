"""The pages: plain files, and signing in. What they show they fetch from the API."""

from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request, send_from_directory

from service.api.access import COOKIE, OWN_SITES, signed_in
from service.api.services import services
from service.errors import Problem
from service.security import tokens

STATIC = Path(__file__).resolve().parent.parent.parent / "static"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def missions() -> Response:
    return _page("index.html")


@blueprint.get("/m/<id:mission_id>")
def mission(mission_id: int) -> Response:  # noqa: ARG001 (the page reads it from its address)
    return _page("mission.html")


@blueprint.get("/login")
def login_form() -> Response:
    return _file("login.html")


@blueprint.post("/login")
def login() -> Response:
    """A token for a cookie that scripts cannot read and other sites cannot send."""
    if request.headers.get("Sec-Fetch-Site", "none") not in OWN_SITES:
        raise Problem("forbidden", "This request comes from another site's page.")
    token = request.form.get("token", "").strip()
    with services().db.reading() as conn:
        if tokens.open_with(conn, token) is None:
            return _go("/login?" + urlencode({"next": _own_path(), "failed": 1}))
    response = _go(_own_path())
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="Strict", secure=request.is_secure, path="/"
    )
    return response


@blueprint.get("/static/<path:name>")
def static_file(name: str) -> Response:
    return _file(name)


def _page(name: str) -> Response:
    if not signed_in():
        return _go("/login?" + urlencode({"next": request.path}))
    return _file(name)


def _file(name: str) -> Response:
    response = send_from_directory(STATIC, name)
    response.headers["Cache-Control"] = "no-cache"  # kept, but asked for: an upgrade shows at once
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def _own_path() -> str:
    """Where to go after signing in: a path of ours, whatever the address says."""
    path = request.form.get("next", "/")
    own = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if own else "/"


def _go(path: str) -> Response:
    response = redirect(path, 303)
    return Response(response.get_data(), 303, headers=response.headers)
