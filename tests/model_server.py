"""A scripted OpenAI-compatible server, the only thing that tests put in a model's place.

It answers POST /v1/chat/completions, streaming and not, and remembers byte for byte what it sent;
POST /v1/embeddings beside it has no rules, and what it serves is not remembered.
Which reply a request gets is decided by rules, tried in order; the first that fits answers:

    ModelServer([
        Rule(Reply("Heat pumps move heat."), last="two sentences"),
        Rule(Reply(tool_calls=[ToolCall("calculator", {"expression": "6*7"})]), tools=True, times=1),
        Rule(Reply(status=500), any="broken"),
    ])

`last` is looked for in the last message, `system` in the system prompt, `any` in all messages;
`tools` asks whether tools were offered. `times` is how often a rule answers, then it is passed over:
so a rule says what a conversation looks like, and a request that is sent again, or earlier than
another, still meets its own reply. Without a rule that fits the reply is DEFAULT_TEXT.

As a program: `python -m tests.model_server --script rules.json --port 0` prints its base URL and
serves until it is killed; the script is a list of {"last": …, "times": …, "reply": {"text": …}}.
GET /exchanges gives what it has sent.
"""

import argparse
import json
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.model_script import (
    DEFAULT_TEXT,
    Exchange,
    Reply,
    Rule,
    ToolCall,
    call_json,
    deltas,
    embeddings,
    envelope,
    finish_reason,
    rule_from_json,
    usage_of,
)

__all__ = ["DEFAULT_TEXT", "Exchange", "ModelServer", "Reply", "Rule", "ToolCall"]


class ModelServer:
    """Serves in threads of this process, on a port of its own, while the `with` block lasts."""

    def __init__(
        self, rules: list[Rule] | None = None, *, api_key: str | None = None, port: int = 0
    ) -> None:
        self.rules = list(rules or [])
        self.api_key = api_key
        self.exchanges: list[Exchange] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.model = self
        self.base_url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        # The poll interval is what shutdown() waits for.
        serve = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        serve.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def begin(self, request: dict[str, Any], authorization: str | None) -> tuple[Exchange, Reply]:
        """Remember a request and choose its reply."""
        with self._lock:
            exchange = Exchange(request, authorization)
            self.exchanges.append(exchange)
            if self.api_key is not None and authorization != f"Bearer {self.api_key}":
                return exchange, Reply(status=401, error="Incorrect API key provided")
            rule = next((rule for rule in self.rules if rule.fits(request)), None)
            if rule is None:
                return exchange, Reply(DEFAULT_TEXT)
            rule.used += 1
            return exchange, rule.reply

    def texts(self) -> list[str]:
        """The text of each answered exchange, oldest first."""
        return [exchange.text for exchange in self.exchanges if exchange.status == 200]

    def total(self, name: str) -> int:
        """The sum over all exchanges of one number of `usage`."""
        return sum((exchange.usage or {}).get(name, 0) for exchange in self.exchanges)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging reply must not keep the test
    request_queue_size = 128
    model: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        if self.path == "/exchanges":
            self._send_json(200, [asdict(item) for item in self.server.model.exchanges])
        elif self.path == "/v1/models":
            self._send_json(200, {"object": "list", "data": []})
        else:
            self._send_json(404, {"error": {"message": "no such path"}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/v1/embeddings":
            self._send_json(200, embeddings(json.loads(body)))
            return
        if self.path != "/v1/chat/completions":
            self._send_json(404, {"error": {"message": "no such path"}})
            return
        request = json.loads(body)
        exchange, reply = self.server.model.begin(request, self.headers.get("Authorization"))
        exchange.status = reply.status
        self.server.model.stopping.wait(reply.first_delay_s)
        if reply.status != 200:
            self._send_json(reply.status, {"error": {"message": reply.error, "type": "scripted"}})
        elif request.get("stream"):
            self._stream(exchange, reply)
        else:
            self._answer(exchange, reply)

    def _answer(self, exchange: Exchange, reply: Reply) -> None:
        exchange.text = "".join(reply.pieces())
        exchange.tool_args = "".join(call.text for call in reply.tool_calls)
        exchange.usage = usage_of(exchange.request, reply)
        message = {"role": "assistant", "content": exchange.text or None}
        if reply.tool_calls:
            message["tool_calls"] = [call_json(i, c) for i, c in enumerate(reply.tool_calls)]
        choice = {"index": 0, "message": message, "finish_reason": finish_reason(reply)}
        body = envelope("chat.completion", exchange.request, [choice])
        self._send_json(200, body | {"usage": exchange.usage})
        exchange.finished = True

    def _stream(self, exchange: Exchange, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for count, (delta, text, args) in enumerate(deltas(reply)):
            if count == reply.cut_after:
                self.close_connection = True
                self.connection.close()
                return
            if count == reply.hang_after:
                self.server.model.stopping.wait()
                return
            time.sleep(reply.delay_s)
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            self._event(envelope("chat.completion.chunk", exchange.request, [choice]), reply)
            exchange.text += text
            exchange.tool_args += args
            exchange.chunks += 1
        self._end(exchange, reply)

    def _end(self, exchange: Exchange, reply: Reply) -> None:
        choice = {"index": 0, "delta": {}, "finish_reason": finish_reason(reply)}
        self._event(envelope("chat.completion.chunk", exchange.request, [choice]), reply)
        if (exchange.request.get("stream_options") or {}).get("include_usage"):
            usage = usage_of(exchange.request, reply)
            last = envelope("chat.completion.chunk", exchange.request, [])
            exchange.usage = usage  # before it is written: a test may look at once
            self._event(last | {"usage": usage}, reply)
        exchange.finished = True
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, data: dict[str, Any], reply: Reply) -> None:
        text = json.dumps(data, ensure_ascii=reply.escaped)
        self._chunk(f"data: {text}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _send_json(self, status: int, data: Any) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser(description="A scripted OpenAI-compatible server.")
    parser.add_argument("--script", type=Path, help="JSON file: a list of rules")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api-key")
    args = parser.parse_args()
    rules = json.loads(args.script.read_text()) if args.script else []
    server = ModelServer(
        [rule_from_json(rule) for rule in rules], api_key=args.api_key, port=args.port
    )
    with suppress(KeyboardInterrupt), server:
        print(server.base_url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
