"""Clients of a fault run: who makes missions, and who answers. They know only HTTP."""

import http.client
import json
import random
import threading
from typing import Any

from tests.faults.followers import AGAIN_S, PATIENCE_S
from tests.faults.stage import Stage
from tests.missions import mission, task


class Caller:
    """Asks any of the web processes. odd: answers that no fault excuses."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._ports = [node.port for node in stage.nodes]
        self._chance = random.Random(seed)
        self.odd: list[str] = []

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        fine: tuple[int, ...] = (),
        **headers: str,
    ) -> Any:
        """The JSON of a good answer; None when there was none, or not a good one."""
        port = self._chance.choice(self._ports)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        if answer.status >= 300 and answer.status not in (503, *fine):
            self.odd.append(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if answer.status < 300 else None


class Posting(threading.Thread):
    """Makes missions over a while, each under a key, until it is told that it was made."""

    def __init__(self, stage: Stage, seed: int, count: int, *, over_s: float) -> None:
        super().__init__()
        self.made: list[int] = []
        self.caller = Caller(stage, seed)
        self._count, self._gap_s = count, over_s / count

    def run(self) -> None:
        for n in range(self._count):
            spec = mission(task("first"), task("second", human_input=n % 3 == 0), title=f"{n}")
            self.made.append(self._post(spec, key=f"mission-{n}"))
            threading.Event().wait(self._gap_s)

    def _post(self, spec: dict[str, Any], key: str) -> int:
        while True:
            made = self.caller.ask("POST", "/missions", spec, **{"Idempotency-Key": key})
            if made is not None:
                return int(made["id"])
            threading.Event().wait(AGAIN_S)


class Human(threading.Thread):
    """Answers what is asked, twice: the second answer changes nothing."""

    def __init__(self, stage: Stage, seed: int, settled: threading.Event) -> None:
        super().__init__(daemon=True)
        self.caller = Caller(stage, seed)
        self._settled = settled

    def run(self) -> None:
        while not self._settled.wait(AGAIN_S):
            inbox = self.caller.ask("GET", "/requests?status=pending")
            for request in inbox["requests"] if inbox else []:
                for _ in range(2):
                    path = f"/requests/{request['id']}"
                    self.caller.ask("POST", path, {"answer": ""}, fine=(409, 410))
