"""One server after the other is restarted behind nginx, with its default settings: nobody sees it."""

import threading

import httpx
import pytest

from tests.processes import until
from tests.proxies.conftest import Site, held

pytestmark = [pytest.mark.processes, pytest.mark.alone]

POLLS, OTHERS = 8, 2
ROUNDS, MORE_ROUNDS = 1, 3
# nginx leaves a server alone for 10 s once it has refused a connection, and answers 502 when that
# is so of all of them. Then it tries it with one request, and only behind that one's answer with others:
# so the second server waits until the first is given more than one.
USED_AGAIN_WITHIN_S = 40.0


class Load:
    """Clients that poll, and clients that ask for ordinary things. bad: what was no answer of ours."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self.bad: list[str] = []
        self.answers = 0
        self._threads = [threading.Thread(target=self._poll) for _ in range(POLLS)]
        self._threads += [threading.Thread(target=self._ask) for _ in range(OTHERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _poll(self) -> None:
        with httpx.Client(timeout=30, trust_env=False) as client:
            after: int | str = "now"
            while not self._over.is_set():
                answer = self._get(client, f"/events?after={after}&wait=1")
                after = answer.get("next", after)

    def _ask(self) -> None:
        with httpx.Client(timeout=30, trust_env=False) as client:
            while not self._over.wait(0.02):
                self._get(client, "/missions?limit=1")

    def _get(self, client: httpx.Client, path: str) -> dict[str, int]:
        try:
            answer = client.get(self._url + path)
        except httpx.TransportError as error:
            self.bad.append(f"{path}: {error!r}")
            return {}
        self.answers += 1
        if answer.status_code != 200:
            self.bad.append(f"{path}: {answer.status_code}")
            return {}
        return dict(answer.json())


def in_use(url: str) -> bool:
    return held(url) > 1


def test_a_rolling_restart_behind_two_upstreams_causes_no_502(
    site: Site, request: pytest.FixtureRequest
) -> None:
    rounds = MORE_ROUNDS if request.config.getoption("every_proxy") else ROUNDS
    load = Load(site.urls["nginx-two"])
    try:
        for server in (site.first, site.second) * rounds:
            server.stop("web")
            server.start("web")
            until(lambda: in_use(server.url), within_s=USED_AGAIN_WITHIN_S, what="polls held by it")  # noqa: B023
    finally:
        load.stop()
    assert load.bad == []
    assert load.answers > 100
