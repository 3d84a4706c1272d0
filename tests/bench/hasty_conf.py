"""gunicorn's configuration of a web process that never puts a look off: what lingering is compared with."""

from service.feed import watcher
from service.gunicorn_conf import *  # noqa: F403

watcher.LINGER_MAX_S = 0.0
