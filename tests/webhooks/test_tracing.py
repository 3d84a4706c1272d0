"""A mission that has ended is a trace, received as collectors receive it: OTLP over HTTP."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from service.events.kinds import Kind, NewEvent
from tests.client.writer import Writer
from tests.contract import given as the
from tests.processes import Longline, until
from tests.webhooks.conftest import Receiver
from tests.webhooks.test_webhooks import sender

pytestmark = pytest.mark.processes


class Collector:
    """Takes traces, or refuses them while told so. refused: how many it did."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self.refusing = False
        self.refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.collector = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, body: bytes) -> int:
        if self.refusing:
            self.refused += 1
            return 400  # the one kind of refusal that the exporter does not repeat by itself
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {
                one.value.string_value
                for one in part.resource.attributes
                if one.key == "service.name"
            }
            self.spans += [span for scope in part.scope_spans for span in scope.spans]
        return 200


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.send_response(self.server.collector.take(body))
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


def work(writer: Writer) -> int:
    """A mission with all that takes time: task, agent, model, tool, a human; one call is broken off."""
    claim = writer.begin()
    where: dict[str, Any] = {"task": "research", "agent": "writer"}
    model, tool = {"model": "openai/some"}, {"tool": "calculator"}
    the.record(
        writer.db, claim,
        NewEvent(Kind.STATUS, "task.started", {}, task="research"),
        NewEvent(Kind.STATUS, "agent.started", {}, **where),
        NewEvent(Kind.ACTION, "llm.started", model, call="c1", **where),
        NewEvent(Kind.STREAM, "text", {"delta": "a secret thought"}, call="c1", **where),
        NewEvent(Kind.ACTION, "llm.finished", model, call="c1", **where),
        NewEvent(Kind.USAGE, "call", the.usage(10, 5, 0.5).data, call="c1", **where),
        NewEvent(Kind.ACTION, "tool.started", tool, call="c2", **where),
        NewEvent(Kind.ACTION, "tool.failed", tool, call="c2", **where),
    )  # fmt: skip
    the.answer(writer.db, writer.ask(claim), "yes")
    the.record(
        writer.db, claim,
        NewEvent(Kind.ACTION, "tool.started", tool, call="c3", **where),
    )  # fmt: skip
    writer.complete(claim)
    return claim.mission_id


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_a_mission_that_has_ended_is_a_trace(
    web: Longline, writer: Writer, receiver: Receiver, collector: Collector
) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "ours"}
    with sender(web, receiver, **settings):
        until(lambda: traced(writer), what="beginning of tracing")
        mission_id = work(writer)
        until(lambda: collector.spans, what="trace")
        until(lambda: traced(writer), what="note that it was sent")
    by_name = {span.name: span for span in collector.spans}
    ids = {span.span_id: span.name for span in collector.spans}
    parents = {span.name: ids.get(span.parent_span_id) for span in collector.spans}
    assert parents == {
        "mission": None, "task": "mission", "agent": "task", "llm": "agent", "tool": "agent",
        "human": "mission",
    }  # fmt: skip
    assert len({span.trace_id for span in collector.spans}) == 1
    assert attributes(by_name["mission"])["longline.mission.id"] == mission_id
    assert attributes(by_name["mission"])["longline.status"] == "completed"
    assert attributes(by_name["llm"])["gen_ai.usage.input_tokens"] == 10
    assert attributes(by_name["llm"])["gen_ai.request.model"] == "openai/some"
    errors = [span.status.message for span in collector.spans if span.status.code == 2]
    assert sorted(errors) == ["broken off"] * 3 + ["failed"]
    assert collector.services == {"ours"}
    assert not any(b"secret thought" in span.SerializeToString() for span in collector.spans)
    begun = by_name["mission"].start_time_unix_nano
    assert all(begun <= s.start_time_unix_nano <= s.end_time_unix_nano for s in collector.spans)


def test_what_a_collector_refused_or_a_killed_sender_left_is_sent_later(
    web: Longline, writer: Writer, receiver: Receiver, collector: Collector
) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with sender(web, receiver, **settings):
        until(lambda: traced(writer), what="beginning of tracing")
        collector.spans.clear()  # a sender that was killed before may have left one to be sent again
        collector.refusing = True
        work(writer)
        until(lambda: collector.refused, what="refusal")
    collector.refusing = False
    assert collector.spans == []
    with sender(web, receiver, **settings):  # the first one was killed
        until(lambda: collector.spans, what="trace")
    assert len({span.trace_id for span in collector.spans}) == 1


def traced(writer: Writer) -> bool:
    """Whether tracing has seen all there is so far."""
    from sqlalchemy import select

    from models import workspaces

    with writer.db.reading() as conn:
        row = conn.execute(select(workspaces).where(workspaces.c.id == the.WORKSPACE)).one()
    return bool(row.traced == row.head)
