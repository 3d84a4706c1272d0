"""gunicorn's configuration with deadlines that a test can wait for; all else is as it is."""

from typing import Any

from service.gunicorn_conf import *  # noqa: F403
from service.gunicorn_conf import post_worker_init as begin

keepalive = 1


def post_worker_init(worker: Any) -> None:
    from service.api import guards, parsing

    guards.SEND_WITHIN_S = 1.0
    parsing.BODY_WITHIN_S = 1.0
    begin(worker)
