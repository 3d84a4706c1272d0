"""How gunicorn runs the web process: gevent workers that answer what they hold before they go."""

import gc
import logging
from typing import Any

import gevent

from service import logs
from service.api.services import NAME
from service.config import load, share_metrics  # by name: `config` is a setting of gunicorn's
from service.gunicorn_worker import Worker

_settings = load()
_metrics_folder = share_metrics(_settings)

bind = f"{_settings.bind_host}:{_settings.port}"
workers = _settings.web_processes
worker_class = "service.gunicorn_worker.Worker"
# Requests that have a greenlet. Held polls have none, but streams do, and holds of single missions.
worker_connections = _settings.max_held + 1000
backlog = 2048
preload_app = False  # nothing of a database or a hub may cross the fork
control_socket_disable = True
keepalive = 5  # also the only deadline for slow headers; a longer one makes the drain wait
graceful_timeout = 20
timeout = 60
accesslog = None
loglevel = "warning"

DRAIN_LOOK_S = 0.05


# Objects made between two collections. What a delivery makes is freed by its count; Python's own 700
# would have it walk through ten thousand held polls several times a second.
COLLECT_AFTER = 20_000


def post_worker_init(worker: Any) -> None:
    gc.freeze()  # what was imported stays, and need not be walked through either
    gc.set_threshold(COLLECT_AFTER)
    logs.configure()
    if not isinstance(worker, Worker):  # which sees to it itself
        gevent.spawn(_drain_when_told, worker)


def worker_exit(_server: Any, _worker: Any) -> None:
    """What Python's own end of a process stumbles over: frozen objects, and handlers whose locks are
    gevent's, which is gone by then."""
    gc.unfreeze()
    logging.shutdown()
    logging._handlerList.clear()  # type: ignore[attr-defined]


def child_exit(_server: Any, worker: Any) -> None:
    """What the process held is no longer held."""
    from prometheus_client.multiprocess import mark_process_dead  # after the folder is set

    mark_process_dead(worker.pid, _metrics_folder)  # type: ignore[no-untyped-call]


def _drain_when_told(worker: Any) -> None:
    """SIGTERM only sets `alive` to False; without this, every held poll is cut without an answer."""
    while worker.alive:
        gevent.sleep(DRAIN_LOOK_S)
    worker.app.callable.extensions[NAME].feed.drain()
