"""The files that pages are made of, each under the name of its build: kept for good, and never out of date.

A page names its scripts and styles as `/static/…`. It is sent with `/static/~build/…` instead: so a
browser asks for each of them once, and what it has belongs together.
"""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request, send_from_directory
from jinja2 import Environment, FileSystemLoader

from service.api.answers import json_answer
from service.errors import Problem

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

# The pages, and what they share: static/templates.
PAGES = Environment(loader=FileSystemLoader(STATIC), autoescape=True, trim_blocks=True)

PARTS = ("*.html", "templates/*.html", "css/*.css", "js/*.js", "vendor/*/*")
STALE = "no-cache"  # kept, but asked for: an upgrade shows at once
FOR_GOOD = "public, max-age=31536000, immutable"

GZIP_LEVEL = 5  # a millisecond for the largest script

blueprint = Blueprint("static", __name__)


@blueprint.get("/static/build.json")
def build() -> Response:
    """A name for the page that this server serves: open pages ask whether they are still that one."""
    return json_answer({"build": build_name()})


@blueprint.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """A file; one of another build is sent as it is now, and asked for anew."""
    if not name.startswith("~"):
        return file_answer(name)
    wanted, _, name = name[1:].partition("/")
    return file_answer(name, kept=FOR_GOOD if wanted == build_name() else STALE)


def file_answer(name: str, *, kept: str = STALE) -> Response:
    if name.endswith(".html"):  # pages have addresses of their own, and templates are none
        raise Problem("not_found")
    return _answer(send_from_directory(STATIC, name), kept)


def page_answer(name: str) -> Response:
    """A page that is the same for everybody until the next build."""
    response = rendered(name)
    response.set_etag(f"{build_name()}-{name}")
    response.make_conditional(request)
    return _answer(response, STALE)


def rendered(template: str, status: int = 200, **values: Any) -> Response:
    """HTML under the pages' policy; it names the files of this build."""
    text = PAGES.get_template(template).render(values)
    named = text.replace('"/static/', f'"/static/~{build_name()}/')
    response = Response(named, status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def _answer(response: Response, kept: str) -> Response:
    response.headers["Cache-Control"] = kept
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return _compressed(response)


def build_name() -> str:
    """Of the content of all files: the same on every host, another one when any of them has changed."""
    paths = sorted(path for kind in PARTS for path in STATIC.glob(kind))
    return _digest(tuple((path, path.stat().st_mtime_ns) for path in paths))


@cache
def _digest(versions: tuple[tuple[Path, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, _changed in versions:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


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
