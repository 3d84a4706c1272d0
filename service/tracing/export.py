"""Spans sent over OTLP and HTTP. The endpoint, its headers and its timeout are OTEL_EXPORTER_OTLP_…"""

import hashlib
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from service.config import Settings
from service.tracing.spans import Span

AT_ONCE = 500  # spans of one request
NS_PER_MS = 1_000_000


class Exporter:
    """Sends traces to the collector that the environment names."""

    def __init__(self, settings: Settings) -> None:
        self._otlp = OTLPSpanExporter()
        self._resource = Resource.create({SERVICE_NAME: settings.otel_service_name})

    def send(self, log: str, mission_id: int, spans: Sequence[Span]) -> bool:
        """Whether the collector took all of a mission's spans.

        log: the feed's name; with the mission it names the trace, so that a repetition is the same one.
        """
        readable = [self._readable(f"{log}/{mission_id}", span) for span in spans]
        parts = (readable[i : i + AT_ONCE] for i in range(0, len(readable), AT_ONCE))
        return all(self._otlp.export(part) is SpanExportResult.SUCCESS for part in parts)

    def close(self) -> None:
        self._otlp.shutdown()  # type: ignore[no-untyped-call]

    def _readable(self, trace: str, span: Span) -> ReadableSpan:
        status = Status(StatusCode.ERROR, span.error) if span.error else Status()
        end_ms = span.start_ms if span.end_ms is None else span.end_ms
        return ReadableSpan(
            name=span.name,
            context=_context(trace, span.id),
            parent=None if span.parent is None else _context(trace, span.parent),
            resource=self._resource,
            attributes={k: v for k, v in span.attributes.items() if v is not None},
            status=status,
            start_time=span.start_ms * NS_PER_MS,
            end_time=max(span.start_ms, end_ms) * NS_PER_MS,
            instrumentation_scope=InstrumentationScope("longline"),
        )


def _context(trace: str, number: int) -> SpanContext:
    """Numbers that follow from names: whoever sends a trace again sends the same one."""
    digest = hashlib.sha256(trace.encode()).digest()
    own = hashlib.sha256(f"{trace}/{number}".encode()).digest()
    return SpanContext(
        int.from_bytes(digest[:16]), int.from_bytes(own[:8]), False, TraceFlags(TraceFlags.SAMPLED)
    )
