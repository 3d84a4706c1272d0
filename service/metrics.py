"""Numbers of the service for Prometheus: what this process counts, and what the database knows.

Counters and histograms live in files that all web processes of a machine share; the gauges are read from
the database when somebody asks, so they also tell what workers elsewhere do.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Connection, func, select

from models import missions, requests, webhooks, workers, workspaces
from models.webhook import deliveries
from service import clock, durations
from service.db import Database
from service.events.text import decode
from service.missions.states import Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HOLD_BUCKETS_S = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 25.0)
TAKES_BUCKETS_S = durations.ENDS_S
SILENT_S = 60  # a worker that has said nothing for so long is not counted any more
# Added up where it is stored: a scrape would have to fetch what all missions have used.
MODEL_CALLS = """
SELECT coalesce(sum(CAST(agent.value ->> 'calls' AS bigint)), 0) FROM missions, json_each({usage}) AS agent
"""
TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")


class WebMetrics:
    """What a web process counts itself. folder: where several share the counts; None for one alone."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        self._polled: dict[str, list[float]] = {}  # a count for each bucket, and the sum
        self._late: dict[int, tuple[int, float]] = {}
        self._woken = {True: 0, False: 0}
        registry = self._registry
        self.held = Gauge(
            "longline_held_polls", "Requests held now", registry=registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self.holds = Histogram(
            "longline_hold_seconds", "How long polls were held", registry=registry,
            buckets=HOLD_BUCKETS_S,
        )  # fmt: skip
        self.requests = Histogram(
            "longline_request_seconds", "Requests that are not held, by status class",
            ["method", "status"], registry=registry, buckets=TAKES_BUCKETS_S,
        )  # fmt: skip
        self.polls = Counter(
            "longline_polls", "Answers of the feed by reason", ["reason"], registry=registry
        )
        self.wakeups = Counter(
            "longline_wakeups", "Looks at the database for those who wait, by what they found",
            ["found"], registry=registry,
        )  # fmt: skip
        self.lateness = Histogram(
            "longline_delivery_seconds", "From an event to the answer of the polls held for it",
            registry=registry, buckets=TAKES_BUCKETS_S,
        )  # fmt: skip

    def woken(self, *, found: bool) -> None:
        """As the feed's witness."""
        self._woken[found] += 1

    def delivered(self, late_s: float) -> None:
        """As the feed's witness."""
        bucket = bisect_left(TAKES_BUCKETS_S, late_s)
        count, sum_s = self._late.get(bucket, (0, 0.0))
        self._late[bucket] = (count + 1, sum_s + late_s)

    def holding(self, count: int) -> None:
        """As the feed's witness."""
        self.held.set(count)
        self._settle()

    def polled(self, reason: str, held_s: float) -> None:
        """As the feed's witness.

        Tens of thousands a second: they are added up here, for to count is to write to a shared file.
        """
        counts = self._polled.get(reason)
        if counts is None:
            counts = self._polled[reason] = [0.0] * (len(HOLD_BUCKETS_S) + 2)
        counts[bisect_left(HOLD_BUCKETS_S, held_s)] += 1
        counts[-1] += held_s

    def answered(self, reason: str, held_s: float) -> None:
        """A poll that a view has answered."""
        self.holds.observe(held_s)
        self.polls.labels(reason).inc()

    def _settle(self) -> None:
        """Count what was added up. The library itself can only observe one at a time."""
        polled, self._polled = self._polled, {}
        for reason, (*counts, held_s) in polled.items():
            self.polls.labels(reason).inc(sum(counts))
            self.holds._sum.inc(held_s)
            for bucket, count in enumerate(counts):
                self.holds._buckets[bucket].inc(count)
        late, self._late = self._late, {}
        for bucket, (count, sum_s) in late.items():
            _observe(self.lateness, bucket, count, sum_s)
        woken, self._woken = self._woken, {True: 0, False: 0}
        for found, count in woken.items():
            self.wakeups.labels("something" if found else "nothing").inc(count)

    def render(self, conn: Connection) -> bytes:
        """All of it as Prometheus reads it."""
        self._settle()
        shared = CollectorRegistry()
        if self._folder is None:
            shared = self._registry
            return generate_latest(shared) + generate_latest(_only(conn))
        MultiProcessCollector(shared, self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(shared) + generate_latest(_only(conn))


def _observe(histogram: Histogram, bucket: int, count: int, sum_s: float) -> None:
    histogram._buckets[bucket].inc(count)
    histogram._sum.inc(sum_s)


class _Stored:
    """A collector of what the database knows at this moment."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def collect(self) -> Iterator[Metric]:
        yield self._missions()
        yield from self._sums()
        yield from self._waiting()
        yield self._deliveries()
        yield from self._workers()

    def _missions(self) -> Metric:
        counts = _counts(self._conn, missions.c.status)
        family = GaugeMetricFamily("longline_missions", "Missions by status", labels=["status"])
        for status in Status:
            family.add_metric([status], counts.get(status, 0))
        return family

    def _sums(self) -> Iterator[Metric]:
        sums = [func.coalesce(func.sum(missions.c[name]), 0).label(name) for name in TOKENS]
        cost = func.coalesce(func.sum(missions.c.cost_usd), 0.0).label("cost")
        losses = func.coalesce(func.sum(missions.c.losses), 0).label("losses")
        row = self._conn.execute(select(*sums, cost, losses)).one()
        tokens = CounterMetricFamily(
            "longline_tokens", "Tokens of stored missions", labels=["type"]
        )
        for name in TOKENS:
            tokens.add_metric([name.removesuffix("_tokens")], getattr(row, name))
        yield tokens
        yield CounterMetricFamily("longline_cost_usd", "Known cost of stored missions", row.cost)
        yield CounterMetricFamily(
            "longline_leases_lost", "Attempts whose worker was lost", row.losses
        )
        yield CounterMetricFamily("longline_model_calls", "Calls of models", self._model_calls())
        appended = self._conn.execute(select(func.coalesce(func.sum(workspaces.c.head), 0)))
        events = int(appended.scalar_one())
        yield CounterMetricFamily("longline_events_appended", "Events ever appended", events)

    def _model_calls(self) -> int:
        usage = "usage_by_agent" + ("::json" if self._conn.dialect.name == "postgresql" else "")
        return int(self._conn.exec_driver_sql(MODEL_CALLS.format(usage=usage)).scalar_one())

    def _waiting(self) -> Iterator[Metric]:
        oldest = select(func.min(missions.c.created_ms)).where(missions.c.status == Status.QUEUED)
        since = self._conn.execute(oldest).scalar_one()
        age_s = 0.0 if since is None else max(0, clock.now_ms() - since) / 1000
        yield GaugeMetricFamily("longline_queue_age_seconds", "Age of the oldest queued", age_s)
        pending = select(func.count()).where(requests.c.status == "pending")
        opened = self._conn.execute(pending).scalar_one()
        yield GaugeMetricFamily("longline_requests_open", "Questions without an answer", opened)
        hooks = self._conn.execute(select(func.count()).select_from(webhooks)).scalar_one()
        yield GaugeMetricFamily("longline_webhooks", "Webhooks", hooks)

    def _workers(self) -> Iterator[Metric]:
        """How many there are, and what each says of itself: they have no /metrics of their own."""
        recent = workers.c.seen_ms > clock.now_ms() - SILENT_S * 1000
        rows = self._conn.execute(select(workers).where(recent)).all()
        living = sum(row.stopped_ms is None for row in rows)
        yield GaugeMetricFamily("longline_workers", "Workers that were heard lately", living)
        help_text = "How long a batch of events took to be stored, by worker"
        family = HistogramMetricFamily("longline_append_seconds", help_text, labels=["worker"])
        for row in rows:
            counts: list[float] = decode(row.appends) if row.appends else durations.none()
            family.add_metric([row.id], list(durations.cumulative(counts)), counts[-1])
        yield family

    def _deliveries(self) -> Metric:
        counts = _counts(self._conn, deliveries.c.status)
        help_text = "Deliveries of webhooks by status"
        family = GaugeMetricFamily("longline_webhook_deliveries", help_text, labels=["status"])
        for status in ("pending", "delivered", "failed"):
            family.add_metric([status], counts.get(status, 0))
        return family


def ready(db: Database, metrics: WebMetrics) -> bytes:
    with db.reading() as conn:
        return metrics.render(conn)


def _only(conn: Connection) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Stored(conn))
    return registry


def _counts(conn: Connection, column: Any) -> dict[str, int]:
    rows = conn.execute(select(column.label("status"), func.count().label("n")).group_by(column))
    return {str(row.status): int(row.n) for row in rows}
