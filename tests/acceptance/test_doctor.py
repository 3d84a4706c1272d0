"""`longline doctor` says of real proxies what they do: nginx, haproxy and varnish as they come."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.cli.terminal import environment
from tests.client.conftest import _web, web
from tests.processes import Longline
from tests.proxies.paths import proxies

__all__ = ["_web", "web"]

pytestmark = [pytest.mark.processes, pytest.mark.waits]

LONGEST_S = 70.0


NAMES = ("nginx", "haproxy", "varnish")
IMPATIENT = {"impatient": "proxy_read_timeout 4s;"}


@pytest.fixture
def paths(web: Longline) -> Iterator[dict[str, str]]:
    with proxies(NAMES, [web.url], further=IMPATIENT) as urls:
        yield {**urls, "direct": web.url}


def doctor(url: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", "doctor", url, "--json"],
        env=environment(), capture_output=True, text=True, timeout=LONGEST_S, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, {f["check"]: f for f in json.loads(done.stdout)["findings"]}


def test_the_doctor_says_what_real_proxies_do(paths: dict[str, str]) -> None:
    with ThreadPoolExecutor(len(paths)) as pool:
        found = dict(zip(paths, pool.map(doctor, paths.values()), strict=True))

    for name in ("direct", "nginx", "haproxy", "varnish"):
        code, findings = found[name]
        assert code == 0, (name, findings)
        for seconds in (5, 15, 25):
            assert findings[f"hold of {seconds} s"]["level"] == "ok", (name, findings)
        assert findings["large answer"]["level"] == "ok"
    assert found["nginx"][1]["event stream"]["seen"] == "held back until its end"
    for name in ("direct", "haproxy", "varnish"):
        assert found[name][1]["event stream"]["seen"] == "arrives live"
    assert found["varnish"][1]["equal URLs"]["seen"] == "served one after the other"
    for name in ("direct", "nginx", "haproxy"):
        assert found[name][1]["equal URLs"]["level"] == "ok"

    code, findings = found["impatient"]
    assert code == 1
    assert findings["hold of 15 s"]["seen"].startswith("504 after 4.")
    assert "proxy_read_timeout" in findings["hold of 15 s"]["advice"]
