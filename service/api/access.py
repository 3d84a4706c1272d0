"""Who is calling and what they may do: a bearer token, the page's cookies, or open loopback."""

from dataclasses import replace

from flask import Request, request

from service import clock
from service.api.services import services
from service.errors import Problem
from service.security import tokens
from service.security.tokens import Access

COOKIE = "longline_token"
LINK_COOKIE = "longline_link"  # of a share link: beside the other, so that it signs nobody out
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Browsers say where a request comes from. Not Origin against Host: proxies replace Host.
OWN_SITES = ("same-origin", "none")
BAD_TOKEN = "The token is unknown, revoked or expired."  # noqa: S105


def allow(
    scope: str,
    *,
    mission: int | None = None,
    request_id: int | None = None,
    polls: bool = False,
    again: bool = False,
) -> Access:
    """The caller of this request. Raises Problem unauthorized, forbidden, too_many_requests.

    mission, request_id: what the view is about, and nothing else: only this lets a share link in.
    polls: the view is a feed, which limits its callers in its own way. again: it was counted by `recall`.
    """
    access = caller(scope, counted=polls or again)
    check_link(access, mission=mission, request_id=request_id)
    return access


def caller(scope: str, *, counted: bool = False) -> Access:
    """As `allow`, before it is known what of: `check_link` has to follow.

    counted: its requests are limited in another way.
    """
    access = _caller(request)
    if not counted:
        services().limits.count_request(access.token_id)
    _check_scope(access, scope)
    return access


def _check_scope(access: Access, scope: str) -> None:
    if not access.may(scope):
        raise Problem("forbidden", f"This needs a token with the scope {scope}.")


def recall(scope: str) -> tuple[Access, bool]:
    """As `allow`, or as it was when this caller was looked up last, and whether it was just now.

    If not, what it leads to has to compare `changes` in the database, or `allow(…, again=True)` to follow.
    """
    services().entrance.open()
    text = _shown(request)
    known = None if text is None else services().known.get(text)
    if known is None:
        access = allow(scope)
        if text is not None:
            services().known.keep(text, access)
        return access, True
    services().limits.count_request(known.token_id)
    _check_scope(known, scope)
    return known, False


def signed_in() -> bool:
    """Whether the page may be shown, rather than the way in. A share link's holder sees it too."""
    try:
        return _caller(request).may("read")
    except Problem:
        return False


def refuse_other_sites() -> None:
    """A page of another site may send forms here, with our cookie or to an open loopback."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method not in SAFE_METHODS and site not in OWN_SITES:
        raise Problem("forbidden", "This request comes from another site's page.")


def check_link(
    access: Access, *, mission: int | None = None, request_id: int | None = None
) -> None:
    """Raises Problem forbidden where a share link is used for anything but what it opens."""
    if not access.is_link:
        return
    if access.mission_id is not None and access.mission_id == mission:
        return
    if access.request_id is not None and access.request_id == request_id:
        return
    raise Problem("forbidden", "This link is for something else.")


def _caller(request: Request) -> Access:
    services().entrance.open()
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return _open_with(bearer.strip()) or _without_token(BAD_TOKEN)
    refuse_other_sites()
    given = (request.cookies.get(name) for name in (COOKIE, LINK_COOKIE))
    opened = (_open_with(text) for text in given if text)
    # Cookies know no port: an open server meets those of another one on this machine.
    return next(filter(None, opened), None) or _without_token()


def _shown(request: Request) -> str | None:
    """What the caller shows: a token, or nothing; None for cookies, of which there may be several."""
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return bearer.strip()
    refuse_other_sites()
    return None if request.cookies else ""


def _open_with(text: str) -> Access | None:
    access = tokens.open_with(services().db.few, text)
    if access is not None and tokens.is_use_due(access):
        with services().db.transaction() as conn:
            tokens.note_use(conn, access)
        access = replace(access, used_ms=clock.now_ms())
    return access


def _without_token(detail: str | None = None) -> Access:
    if services().settings.may_be_open:
        access = tokens.without_one(services().db.few)
        if access is not None:
            return access
    raise Problem("unauthorized", detail)
