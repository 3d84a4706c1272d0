"""Who is calling and what they may do: a bearer token, the page's cookies, or open loopback."""

from flask import Request, request

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
    scope: str, *, mission: int | None = None, request_id: int | None = None, polls: bool = False
) -> Access:
    """The caller of this request. Raises Problem unauthorized, forbidden, too_many_requests.

    mission, request_id: what the view is about, and nothing else: only this lets a share link in.
    polls: the view is a feed, which limits its callers in its own way.
    """
    access = caller(scope, polls=polls)
    check_link(access, mission=mission, request_id=request_id)
    return access


def caller(scope: str, *, polls: bool = False) -> Access:
    """As `allow`, before it is known what of: `check_link` has to follow."""
    access = _caller(request)
    if not polls:
        services().limits.count_request(access.token_id)
    if not access.may(scope):
        raise Problem("forbidden", f"This needs a token with the scope {scope}.")
    return access


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


def _open_with(text: str) -> Access | None:
    with services().db.brief(alone=True) as conn:
        access = tokens.open_with(conn, text)
    if access is not None and tokens.is_use_due(access):
        with services().db.transaction() as conn:
            tokens.note_use(conn, access)
    return access


def _without_token(detail: str | None = None) -> Access:
    if services().settings.may_be_open:
        with services().db.brief(alone=True) as conn:
            access = tokens.without_one(conn)
        if access is not None:
            return access
    raise Problem("unauthorized", detail)
