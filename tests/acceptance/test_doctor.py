"""`longline doctor` says of real proxies what they do: nginx, haproxy and varnish as they come."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.terminal import environment
from tests.client.conftest import _web, web
from tests.processes import Longline, free_port, until

__all__ = ["_web", "web"]

pytestmark = pytest.mark.processes

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {url}; {more} }} }}
}}
"""
# What Debian's own configuration begins with.
HAPROXY = """
defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
frontend in
  bind 127.0.0.1:{port}
  default_backend out
backend out
  server one {host}
"""
LONGEST_S = 70.0


def install() -> None:
    """The three proxies. A continuous integration that cannot have them is broken; others may skip."""
    if all(shutil.which(name) for name in ("nginx", "haproxy", "varnishd")):
        return
    if os.geteuid() == 0:
        packages = ["nginx-light", "haproxy", "varnish"]
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
        done = subprocess.run(
            ["apt-get", "install", "-qq", "-y", *packages], capture_output=True, check=False
        )
        if done.returncode == 0:
            return
    if os.environ.get("CI"):
        pytest.fail("nginx, haproxy and varnish are needed here")
    pytest.skip("needs nginx, haproxy and varnish")


def commands(folder: Path, url: str) -> dict[str, tuple[int, list[str]]]:
    """Each proxy's port and command line."""
    ports = {name: free_port() for name in ("nginx", "impatient", "haproxy", "varnish")}
    for name, more in (("nginx", ""), ("impatient", "proxy_read_timeout 4s;")):
        (folder / name).mkdir()
        given = {"folder": folder / name, "port": ports[name], "url": url, "more": more}
        (folder / f"{name}.conf").write_text(NGINX.format(**given))
    host = url.removeprefix("http://")
    (folder / "haproxy.cfg").write_text(HAPROXY.format(port=ports["haproxy"], host=host))
    nginx = ["nginx", "-e", "stderr", "-c"]
    return {
        "nginx": (ports["nginx"], [*nginx, str(folder / "nginx.conf")]),
        "impatient": (ports["impatient"], [*nginx, str(folder / "impatient.conf")]),
        "haproxy": (ports["haproxy"], ["haproxy", "-f", str(folder / "haproxy.cfg")]),
        "varnish": (
            ports["varnish"],
            ["varnishd", "-F", "-a", f"127.0.0.1:{ports['varnish']}", "-b", host,
             "-n", str(folder / "varnish"), "-s", "malloc,32m"],
        ),
    }  # fmt: skip


@pytest.fixture
def proxies(tmp_path: Path, web: Longline) -> Iterator[dict[str, str]]:
    install()
    # varnish's own child is another user, which pytest's folders do not let in
    folder = Path(shutil.copytree(tmp_path, f"/tmp/longline-proxies-{os.getpid()}"))
    folder.chmod(0o755)
    running, urls = [], {}
    for name, (port, command) in commands(folder, web.url).items():
        with (folder / f"{name}.log").open("wb") as out:
            running.append(subprocess.Popen(command, stdout=out, stderr=out, process_group=0))
        urls[name] = f"http://127.0.0.1:{port}"
    try:
        for url in urls.values():
            until(lambda url=url: answers(url), what=f"proxy at {url}")
        yield urls
    finally:
        for process in running:
            process.terminate()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


def doctor(url: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", "doctor", url, "--json"],
        env=environment(), capture_output=True, text=True, timeout=LONGEST_S, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, {f["check"]: f for f in json.loads(done.stdout)["findings"]}


def test_the_doctor_says_what_real_proxies_do(proxies: dict[str, str], web: Longline) -> None:
    paths = {**proxies, "direct": web.url}
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
