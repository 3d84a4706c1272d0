"""The pages: plain files, and signing in. What they show they fetch from the API."""

import re
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from service.api.access import COOKIE, refuse_other_sites, signed_in
from service.api.answers import see_other
from service.api.parsing import form_body
from service.api.services import services
from service.api.static import page_answer
from service.security import tokens

PLAIN = {"/": "/plain", "/inbox": "/plain"}

# Browsers take `//host` and `/\host` for other sites, and read over tabs and line ends.
OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def missions() -> Response:
    return _page("index.html")


@blueprint.get("/inbox")
def inbox() -> Response:
    return _page("inbox.html")


@blueprint.get("/new")
def new() -> Response:
    return _page("new.html")


@blueprint.get("/m/<id:mission_id>")
def mission(mission_id: int) -> Response:  # noqa: ARG001 (the page reads it from its address)
    return _page("mission.html")


@blueprint.get("/login")
def login_form() -> Response:
    return page_answer("login.html")


@blueprint.post("/login")
def login() -> Response:
    """A token for a cookie that scripts cannot read and other sites cannot send."""
    refuse_other_sites()
    services().limits.count_login(request.remote_addr or "")
    form = form_body()
    token, path = form.get("token", "").strip(), _own_path(form.get("next", "/"))
    if tokens.open_with(services().db.few, token) is None:
        return see_other("/login?" + urlencode({"next": path, "failed": 1}))
    response = see_other(path)
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="Strict", secure=request.is_secure, path="/"
    )
    return response


def _page(name: str) -> Response:
    if not signed_in():
        return to_login()
    if "plain" in request.args:  # where a page goes without scripts
        return see_other(PLAIN.get(request.path, f"{request.path}/plain"))
    return page_answer(name)


def to_login() -> Response:
    """Sign in first, and come back."""
    return see_other("/login?" + urlencode({"next": request.path}))


def _own_path(path: str) -> str:
    """Where to go after signing in: a path of ours, whatever the address says."""
    return path if OWN_PATH.fullmatch(path) else "/"
