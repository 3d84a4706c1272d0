"""The web process put together: database, feed, blueprints. Run by gunicorn with gevent."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from service import config, schema
from service.api import (
    callers,
    compression,
    cors,
    doctor,
    events,
    files,
    guards,
    health,
    links,
    metrics,
    missions,
    offers,
    pages,
    plain,
    problems,
    projects,
    reference,
    requests,
    static,
    webhooks,
)
from service.api.answers import protect
from service.api.entrance import Entrance
from service.api.known import Known
from service.api.limits import Limits
from service.api.services import NAME, Services
from service.config import Settings
from service.db import Database
from service.dispatch import choose
from service.feed.poll import Feed
from service.metrics import WebMetrics
from service.security.redaction import Redactor

BLUEPRINTS = (
    doctor,
    metrics,
    webhooks,
    events,
    missions,
    projects,
    offers,
    callers,
    requests,
    links,
    files,
    health,
    reference,
    pages,
    static,
    plain,
)


class IdConverter(BaseConverter):
    """An id in a path: ASCII digits, and within what a database holds."""

    regex = "[0-9]{1,15}"

    def to_python(self, value: str) -> int:
        return int(value)


def create_app(settings: Settings | None = None, *, late: bool = False) -> Flask:
    """The WSGI application. Migrates an SQLite file; any other database is migrated beforehand.

    late: the database did not answer when the process began, see `api.entrance`.
    """
    settings = settings or config.load()
    app = Flask("longline", static_folder=None)  # the pages have their own route
    app.url_map.converters["id"] = IdConverter
    # /missions/ and /missions are one path; a redirect between them would lose a POST's body.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    counted = WebMetrics(config.metrics_folder())
    parts = app.extensions[NAME] = _services(settings, counted, late=late)
    if settings.trusted_proxies:
        known = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=known, x_proto=known)  # type: ignore[method-assign]
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    problems.register(app)
    app.before_request(guards.check)
    app.after_request(compression.pack)
    app.after_request(cors.open_to_allowed)
    app.after_request(protect)
    metrics.measure(app, counted)
    parts.feed.start()
    return app


def _services(settings: Settings, counted: WebMetrics, *, late: bool) -> Services:
    """What the views work with. The database is ready for them, or not there yet."""
    db = Database(settings, pool_size=settings.db_pool, listens=True)
    if db.is_sqlite:
        schema.upgrade(db)
    feed = Feed(
        db,
        max_held=settings.max_held,
        max_held_per_token=settings.max_held_per_token,
        witness=counted,
    )
    return Services(
        settings,
        db,
        feed,
        choose.for_clients(settings, db),
        Limits.of(settings),
        Redactor(config.secret_values()),
        Entrance(settings, db, late=late),
        Known(),
    )
