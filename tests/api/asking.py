"""What the tests of questions over HTTP ask and answer."""

from typing import Any

from service.requests.question import Question
from tests.api.server import Server
from tests.contract import given as the

SCHEMA = {
    "type": "object",
    "properties": {"tone": {"enum": ["calm", "bold"]}, "words": {"type": "integer"}},
    "required": ["tone"],
    "additionalProperties": False,
}
QUESTIONS = {
    "text": the.question("text"),
    "choice": the.question("choice", type="choice", options=["a", "b"], default="a"),
    "approval": the.question("approval", type="approval", context="calculator(6*7)"),
    "form": the.question("form", type="form", schema=SCHEMA),
}


def ask(server: Server, question: Question | None = None, *, timeout_s: float = 300.0) -> int:
    """A question of a mission of its own. Returns its id."""
    return the.ask(server.db, the.running(server.db), question, timeout_s=timeout_s)


def answer(server: Server, value: Any, request_id: int = 1, **headers: str):
    return server.post(f"/requests/{request_id}", {"answer": value}, headers=headers)


def submit(server: Server, fields: Any, request_id: int = 1):
    return server.request("POST", f"/requests/{request_id}", data=fields)


def responses(server: Server) -> list[dict[str, Any]]:
    return server.poll(kind="HUMAN_RESPONSE")["events"]


def ids(server: Server, query: str = "") -> list[int]:
    return [asked["id"] for asked in server.get(f"/requests?{query}").get_json()["requests"]]
