"""One try: a signed POST to a public address, over in ten seconds. Follows no redirect, keeps no answer."""

import time
from collections.abc import Callable

import httpcore

from service import clock
from service.agents.tools.connecting import Checked, resolve
from service.security.addresses import is_public
from service.webhooks import signing
from service.webhooks.form import host_of
from service.webhooks.queue import Due

TRY_S = 10.0


class Missed(Exception):
    """A try that came to nothing. response: the status, None when there was none."""

    def __init__(self, error: str, response: int | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.response = response


def send(due: Due, *, allowed_hosts: frozenset[str] = frozenset()) -> int:
    """The status of a success. Raises Missed.

    allowed_hosts: `host:port` that the operator lets be private, whatever they resolve to.
    """
    message_id = f"msg_{due.webhook_id}_{due.seq}"
    timed = signing.headers(due.secret, message_id, clock.now_ms() // 1000, due.body)
    headers = {"Host": host_of(due.url), "Content-Type": "application/json", **timed}
    headers["User-Agent"] = "longline-webhooks"
    backend = Checked(_rule(due.url, allowed_hosts), resolve, time.monotonic() + TRY_S)
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend, retries=0) as pool,
            pool.stream(
                "POST", due.url, headers=list(headers.items()), content=due.body.encode()
            ) as answer,
        ):
            status = answer.status
    except (
        OSError,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
    ) as error:
        raise Missed(type(error).__name__) from None
    if not 200 <= status < 300:
        raise Missed(f"answered {status}", status)
    return status


def _rule(url: str, allowed_hosts: frozenset[str]) -> Callable[[str], bool]:
    return (lambda _address: True) if host_of(url) in allowed_hosts else is_public
