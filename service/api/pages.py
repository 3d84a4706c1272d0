"""The pages: plain files, and signing in. What they show they fetch from the API."""

import gzip
import hashlib
import re
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request, send_from_directory

from service.api.access import COOKIE, OWN_SITES, signed_in
from service.api.answers import json_answer
from service.api.parsing import form_body
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
        "trusted-types dompurify",
    )
)

PARTS = ("*.html", "css/*.css", "js/*.js")

GZIP_LEVEL = 5  # a millisecond for the largest script

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
    return file_answer("login.html")


@blueprint.post("/login")
def login() -> Response:
    """A token for a cookie that scripts cannot read and other sites cannot send."""
    if request.headers.get("Sec-Fetch-Site", "none") not in OWN_SITES:
        raise Problem("forbidden", "This request comes from another site's page.")
    services().limits.count_login(request.remote_addr or "")
    form = form_body()
    token, path = form.get("token", "").strip(), _own_path(form.get("next", "/"))
    with services().db.reading() as conn:
        if tokens.open_with(conn, token) is None:
            return _go("/login?" + urlencode({"next": path, "failed": 1}))
    response = _go(path)
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="Strict", secure=request.is_secure, path="/"
    )
    return response


@blueprint.get("/static/build.json")
def build() -> Response:
    """A name for the page that this server serves: open pages ask whether they are still that one."""
    digest = hashlib.sha256()
    for path in sorted(path for kind in PARTS for path in STATIC.glob(kind)):
        digest.update(path.read_bytes())
    return json_answer({"build": digest.hexdigest()[:16]})


@blueprint.get("/static/<path:name>")
def staticfile_answer(name: str) -> Response:
    return file_answer(name)


def _page(name: str) -> Response:
    if not signed_in():
        return to_login()
    if "plain" in request.args:  # where a page goes without scripts
        return _go(PLAIN.get(request.path, f"{request.path}/plain"))
    return file_answer(name)


def to_login() -> Response:
    """Sign in first, and come back."""
    return _go("/login?" + urlencode({"next": request.path}))


def file_answer(name: str) -> Response:
    response = send_from_directory(STATIC, name)
    response.headers["Cache-Control"] = "no-cache"  # kept, but asked for: an upgrade shows at once
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return _compressed(response)


def _compressed(response: Response) -> Response:
    """A whole file as gzip, for who takes that: scripts and styles are a third of their size then."""
    response.vary.add("Accept-Encoding")
    if response.status_code != 200 or not request.accept_encodings.quality("gzip"):
        return response
    response.direct_passthrough = False
    response.set_data(gzip.compress(response.get_data(), GZIP_LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    etag, _weak = response.get_etag()
    if etag:
        response.set_etag(etag, weak=True)  # the same file in other bytes
    return response


def _own_path(path: str) -> str:
    """Where to go after signing in: a path of ours, whatever the address says."""
    return path if OWN_PATH.fullmatch(path) else "/"


def _go(path: str) -> Response:
    response = redirect(path, 303)
    return Response(response.get_data(), 303, headers=response.headers)
