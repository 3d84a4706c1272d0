"""What is looked at before any view: the name that the server was called by, and its client's patience."""

import re

from flask import Response, request

from service.api import cors
from service.api.services import client_socket, services
from service.errors import Problem

# Platforms ask these by address; and they hold nothing that a page could want.
ANYBODY = ("/healthz", "/readyz")
# Of a whole answer: a client that reads more slowly is not reading.
SEND_WITHIN_S = 30.0
LOOPBACK = re.compile(r"localhost|([a-z0-9-]+\.)*localhost|127(\.[0-9]{1,3}){3}|\[::1\]")


def check() -> Response | None:
    """Run for every request. Raises Problem host_not_allowed."""
    sock = client_socket()
    if sock is not None:
        sock.settimeout(SEND_WITHIN_S)
    if request.path not in ANYBODY:
        _check_host()
    return cors.preflight()


def _check_host() -> None:
    """A name that leads here but is not ours belongs to somebody who wants our pages' rights.

    On loopback no token may be needed, so there only its own names pass. Elsewhere every request
    needs one, and a browser sends our cookie to our name alone.
    """
    settings = services().settings
    if not settings.on_loopback and not settings.host_names:
        return
    name = _without_port(request.headers.get("Host", ""))
    own = settings.on_loopback and LOOPBACK.fullmatch(name)
    if not own and name not in settings.host_names:
        raise Problem("host_not_allowed", "LONGLINE_ALLOWED_HOSTS names the hosts that are.")


def _without_port(host: str) -> str:
    return re.sub(r":[0-9]{1,5}\Z", "", host.lower()).removesuffix(".")
