"""Who is calling and what they may do: a bearer token, the page's cookie, or open loopback."""

from flask import Request, request

from service.api.services import services
from service.errors import Problem
from service.security import tokens
from service.security.tokens import Access

COOKIE = "longline_token"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Browsers say where a request comes from. Not Origin against Host: proxies replace Host.
OWN_SITES = ("same-origin", "none")
BAD_TOKEN = "The token is unknown, revoked or expired."  # noqa: S105


def allow(scope: str) -> Access:
    """The caller of this request. Raises Problem unauthorized or forbidden."""
    access = _caller(request)
    if not access.may(scope):
        raise Problem("forbidden", f"This needs a token with the scope {scope}.")
    return access


def signed_in() -> bool:
    """Whether the page may be shown, rather than the way in."""
    try:
        allow("read")
    except Problem:
        return False
    return True


def _caller(request: Request) -> Access:
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return _open_with(bearer.strip()) or _without_token(BAD_TOKEN)
    _refuse_other_sites(request)
    cookie = request.cookies.get(COOKIE)
    # Cookies know no port: an open server meets those of another one on this machine.
    return (_open_with(cookie) if cookie else None) or _without_token()


def _open_with(text: str) -> Access | None:
    with services().db.reading() as conn:
        return tokens.open_with(conn, text)


def _without_token(detail: str | None = None) -> Access:
    settings = services().settings
    with services().db.reading() as conn:
        if settings.auth == "required" or not settings.on_loopback or tokens.any_made(conn):
            raise Problem("unauthorized", detail)
        return tokens.everything(conn)


def _refuse_other_sites(request: Request) -> None:
    """A page of another site may send forms here, with our cookie or to an open loopback."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method not in SAFE_METHODS and site not in OWN_SITES:
        raise Problem("forbidden", "This request comes from another site's page.")
