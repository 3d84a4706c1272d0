"""Tables of what no client should send, for every operation of the document, each with what it is answered."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from service.api.openapi.document import document
from service.api.parsing import BODY_MAX_BYTES, DEPTH_MAX
from tests.contract.given import SPEC
from tests.security.operations import JSON, filled, good_body, operations

# As they stand in an address. No place that wants a number takes any of them.
NO_NUMBERS = {
    "empty": "",
    "underscore": "1_000",
    "plus": "%2B5",
    "space": "1%20",
    "tab": "%091",
    "newline": "1%0A",
    "arabic": quote("٣"),
    "fullwidth": quote("１２"),
    "superscript": quote("²"),
    "roman": quote("Ⅷ"),
    "hex": "0x10",
    "octal": "0o7",
    "exponent": "1e3",
    "fraction": "1.5",
    "two-to-63": str(2**63),
    "two-to-53": str(2**53),
    "long": "9" * 400,
    "minus": "-1",
    "nul": "1%00",
    "bad-utf8": "%FF",
    "surrogate": "%ED%A0%80",
    "nan": "NaN",
    "infinity": "Infinity",
    "null": "null",
    "true": "true",
    "list": "%5B1%5D",
    "traversal": "..%2F..%2Fetc%2Fpasswd",
    "sql": quote("1 OR 1=1; DROP TABLE missions;--"),
    "template": quote("{{7*7}}${7*7}"),
    "markup": quote("<script>alert(1)</script>"),
}
# Some of them are something where more than a number is taken.
TAKEN = {
    "after": {"minus"},
    "wait": {"fraction", "two-to-53", "two-to-63"},
    "hold": {"fraction", "two-to-53", "two-to-63"},
    "mission": {"two-to-53"},  # of the feed: a number, though of no mission
}
MISTAKEN = (
    "since",
    "offset",
    "cursor",
    "last_event_id",
    "After",
    "AFTER",
    "limit[]",
    "wait%00",
    "__proto__",
)
TEXTS = ("q", "engine", "client", "plain")  # any text is fine


@dataclass(frozen=True)
class Bad:
    """One request, and the status and code of its answer. None: any 4xx."""

    name: str
    method: str
    path: str
    status: int
    code: str
    data: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0][:40]} {self.name}"


def in_queries() -> Iterator[Bad]:
    for method, path, operation in operations():
        names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
        for name in (n for n in names if n not in TEXTS):
            for what, text in NO_NUMBERS.items():
                if what not in TAKEN.get(name, ()):
                    query = f"{filled(path)}?{name}={text}"
                    yield Bad(f"{name}={what}", method, query, 422, "invalid")
        for name in names:
            again = f"{filled(path)}?{name}=1&{name}=1"
            yield Bad(f"{name} twice", method, again, 422, "invalid")


def unknown_names() -> Iterator[Bad]:
    for method, path, operation in operations():
        if path in ("/healthz", "/readyz", "/openapi.json", "/s/{token}"):
            continue  # a platform may add what it likes
        body = good_body(operation)
        for name in MISTAKEN:
            query = f"{filled(path)}?{name}=1"
            yield Bad(f"{name} unknown", method, query, 422, "unknown_field", *body)


def in_paths() -> Iterator[Bad]:
    for method, path, operation in operations():
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path" and parameter["name"] != "token":
                for what, text in NO_NUMBERS.items():
                    place = filled(path.replace(f"{{{parameter['name']}}}", text))
                    if text:  # without one, it is another path
                        yield Bad(f"id {what}", method, place, 404, "not_found")


def _nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


# Bodies that are no JSON, or too much of it.
NO_JSON = {
    "cut": b"{",
    "quotes": b"{'a': 1}",
    "comma": b'{"a": 1,}',
    "nan": b'{"a": NaN}',
    "huge number": b'{"a": 1e400}',
    "bad utf-8": b'{"a": "\xff"}',
    "surrogate bytes": b'{"a": "\xed\xa0\x80"}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "raw nul": b'{"a": "\0"}',
    "two": b'{"a": 1} {"b": 2}',
    "bom": b"\xef\xbb\xbf{}",
    "utf-16": b"\xff\xfe{\x00}\x00",
    "form": b"agents=1",
    "pickle": b"\x80\x04\x95\x00.",
    "yaml": b"!!python/object/apply:os.system ['true']",
    "too deep": _nested(DEPTH_MAX + 1),
    "100,000 brackets": _nested(100_000),
    "100,000 objects": b'{"a":' * 50_000,
}
# JSON that no body here is.
NO_BODY = {
    "null": b"null",
    "number": b"1",
    "text": b'"text"',
    "list": b"[]",
    "list of it": b"[{}]",
    "true": b"true",
}
BOMBS = {"gzip": gzip.compress(b" " * 10_000_000), "deflate": zlib.compress(b" " * 10_000_000)}
ODD = {
    "no type": ({}, 415),
    "plain": ({"Content-Type": "text/plain"}, 415),
    "xml": ({"Content-Type": "application/xml"}, 415),
    "gzip": ({"Content-Type": JSON, "Content-Encoding": "gzip"}, 415),
    "deflate": ({"Content-Type": JSON, "Content-Encoding": "deflate"}, 415),
    "br": ({"Content-Type": JSON, "Content-Encoding": "br, gzip"}, 415),
}


def in_bodies() -> Iterator[Bad]:
    for method, path, operation in operations():
        content = operation.get("requestBody", {}).get("content", {})
        if JSON not in content:
            continue
        place, headers = filled(path), {"Content-Type": JSON}
        optional = not operation["requestBody"]["required"]
        for what, data in NO_JSON.items():
            yield Bad(what, method, place, 400, "malformed_json", data, headers)
        for what, data in NO_BODY.items():
            yield Bad(what, method, place, 422, "invalid", data, headers)
        unknown = b'{"__proto__": {"admin": true}}'
        yield Bad("unknown key", method, place, 422, "unknown_field", unknown, headers)
        large = b" " * (BODY_MAX_BYTES + 1)
        yield Bad("too large", method, place, 413, "body_too_large", large, headers)
        for what, (odd, status) in ODD.items():
            data = BOMBS.get(what, b"{}")
            if not optional or "Content-Encoding" in odd:  # an empty one says nothing of its type
                yield Bad(what, method, place, status, "unsupported_media_type", data, odd)


def _part(head: bytes, data: bytes = b"{}") -> bytes:
    return b"--x\r\n" + head + b"\r\n\r\n" + data + b"\r\n--x--\r\n"


DISPOSITION = b"Content-Disposition: form-data"
FORMS = {
    "no name": (_part(DISPOSITION), 422, "invalid"),
    "no disposition": (_part(b"Content-Type: text/plain"), 400, "bad_request"),
    "attachment": (_part(b"Content-Disposition: attachment"), 422, "invalid"),
    "file without a name": (_part(DISPOSITION + b'; filename="x"'), 422, "invalid"),
    "carriage return": (_part(DISPOSITION + b'; name="a\rb"'), 422, "invalid"),
    "other part": (_part(DISPOSITION + b'; name="other"'), 422, "invalid"),
    "not utf-8": (_part(DISPOSITION + b'; name="\xff"'), 400, "bad_request"),
    "surrogate": (_part(DISPOSITION + b'; name="\xed\xa0\x80"'), 400, "bad_request"),
    "mission that is none": (_part(DISPOSITION + b'; name="mission"', b"1"), 422, "invalid"),
    "mission that is no JSON": (
        _part(DISPOSITION + b'; name="mission"', b"{"),
        400,
        "malformed_json",
    ),
    "cut": (b"--x\r\n" + DISPOSITION, 400, "bad_request"),
    "garbage": (b"\x00\xff" * 1000, 400, "bad_request"),
    "long header": (_part(b"X: " + b"y" * 100_000), 400, "bad_request"),
}


def in_forms() -> Iterator[Bad]:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for what, (data, status, code) in FORMS.items():
        yield Bad(f"part: {what}", "POST", "/missions", status, code, data, headers)
    for boundary in ("", "; boundary=", "; boundary=" + "b" * 300):
        odd = {"Content-Type": f"multipart/form-data{boundary}"}
        body = _part(DISPOSITION)
        yield Bad(f"boundary {boundary[:13]}", "POST", "/missions", 400, "bad_request", body, odd)


def in_specs() -> Iterator[Bad]:
    """Missions that are JSON and none."""
    values: list[Any] = [None, True, -1, 0, 1.5, 2**63, 10**30, [], {}, [[]], "x" * 200_000]
    for key in ("title", "engine", "process", "agents", "plan", "inputs", "human", "limits", "on_limit",
                "on_worker_lost", "priority", "not_before", "planning", "project"):  # fmt: skip
        for value in values:
            if not _fits(key, value):
                body = json.dumps(SPEC | {key: value}).encode()
                code = "unknown_field" if key == "project" else "invalid"
                yield Bad(
                    f"{key}={str(value)[:12]}",
                    "POST",
                    "/missions",
                    422,
                    code,
                    body,
                    {"Content-Type": JSON},
                )


def _fits(key: str, value: Any) -> bool:
    fitting: dict[str, list[Any]] = {
        "title": [None],
        "planning": [True],
        "inputs": [{}],
        "human": [{}],
        "limits": [{}],
        "priority": [-1, 0],
        "not_before": [None],
        "project": [],
    }
    return any(
        value is one or (value == one and type(value) is type(one)) for one in fitting.get(key, [])
    )


def in_headers() -> Iterator[Bad]:
    body = json.dumps(SPEC).encode()
    for what, key in {"empty": "", "long": "k" * 201, "latin": "ké", "tab": "a\tb"}.items():
        headers = {"Content-Type": JSON, "Idempotency-Key": key}
        yield Bad(f"key {what}", "POST", "/missions", 422, "invalid", body, headers)
        yield Bad(f"key {what}", "POST", "/missions/1/retry", 422, "invalid", b"", headers)
        answer = b'{"answer": "yes"}'
        yield Bad(f"key {what}", "POST", "/requests/1", 422, "invalid", answer, headers)
    for what, text in {"minus": "-1", "word": "now", "under": "1_0", "long": "9" * 40}.items():
        for path in ("/events", "/missions/1/events"):
            yield Bad(f"last id {what}", "GET", path, 422, "invalid", None, {"Last-Event-ID": text})
    foreign = ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "[::2]", "a b")
    for name in foreign:
        for path in ("/missions", "/events", "/openapi.json"):
            yield Bad(f"host {name}", "GET", path, 403, "host_not_allowed", None, {"Host": name})
    for site in ("cross-site", "same-site", "x"):
        headers = {"Content-Type": JSON, "Sec-Fetch-Site": site}
        yield Bad(f"from {site}", "POST", "/missions", 403, "forbidden", body, headers)


def methods() -> Iterator[Bad]:
    paths = {path: set(item) for path, item in document()["paths"].items()}
    for path, taken in paths.items():
        for method in ("put", "patch", "delete", "post", "trace"):
            if method not in taken and path != "/static/{name}":
                place = filled(path).replace("{token}", "x").replace("{name}", "x")
                yield Bad("method", method.upper(), place, 405, "method_not_allowed")


def table() -> list[Bad]:
    parts = (
        in_queries,
        unknown_names,
        in_paths,
        in_bodies,
        in_forms,
        in_specs,
        in_headers,
        methods,
    )
    return [bad for part in parts for bad in part()]
