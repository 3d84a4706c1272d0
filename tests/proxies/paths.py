"""Real proxies in front of a server: what Debian installs, with its default settings and our upstream.

What a proxy does by default is what its users get, so a configuration says where to listen and where
to pass on, and nothing else; the folders in it are those of the test instead of the system's.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.debian import need
from tests.processes import NO_TLS, free_port, until

# What a continuous integration has, and what is tried besides by `make test-proxies`.
USUAL = ("nginx", "nginx-gzip", "nginx-two", "haproxy", "varnish")
FURTHER = ("squid", "apache", "caddy")

PROGRAMS = {
    "nginx": ("nginx", "nginx-light"),
    "haproxy": ("haproxy", "haproxy"),
    "varnish": ("varnishd", "varnish"),
    "squid": ("squid", "squid"),
    "apache": ("apache2", "apache2"),
    "caddy": ("caddy", "caddy"),
}

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream longline {{ {servers} }}  # nginx then says so in Host: the servers have to allow it
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {to}; {more} }} }}
}}
"""
GZIP = "gzip on; gzip_proxied any; gzip_types application/json; gzip_min_length 100;"
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
SQUID = """
http_port 127.0.0.1:{port} accel defaultsite=127.0.0.1 no-vhost
cache_peer 127.0.0.1 parent {upstream_port} 0 no-query originserver
refresh_pattern -i (/cgi-bin/|\\?) 0	0%	0
refresh_pattern .		0	20%	4320
http_access allow localhost
http_access deny all
shutdown_lifetime 0 seconds
pid_filename {folder}/squid.pid
cache_log {folder}/cache.log
access_log none
coredump_dir {folder}
"""
APACHE = """
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
DefaultRuntimeDir {folder}
Mutex file:{folder} default
User www-data
Group www-data
{modules}
Include /etc/apache2/mods-available/mpm_event.conf
Include /etc/apache2/mods-available/deflate.conf
ProxyPass / {url}/
ProxyPassReverse / {url}/
"""
APACHE_MODULES = ("mpm_event", "authz_core", "proxy", "proxy_http", "filter", "deflate")
CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  reverse_proxy {host}
}}
"""


def install(names: Sequence[str]) -> None:
    need(**dict(PROGRAMS[name.partition("-")[0]] for name in names))


@contextmanager
def proxies(
    names: Sequence[str], urls: Sequence[str], *, further: Mapping[str, str] | None = None
) -> Iterator[dict[str, str]]:
    """Each proxy's URL, in front of the first server; nginx-two in front of all of them.

    further: more nginx proxies, by name, and what their `location` has besides.
    """
    install(names)
    # Not in pytest's own folders: the proxies' children are other users, whom those do not let in.
    folder = Path(f"/tmp/longline-proxies-{os.getpid()}-{free_port()}")
    running: list[subprocess.Popen[bytes]] = []
    found = {}
    try:
        for name in (*names, *(further or {})):
            port = free_port()
            command = _command(name, folder / name, port, urls, (further or {}).get(name, ""))
            running.append(_start(command, folder / name))
            found[name] = f"http://127.0.0.1:{port}"
        for name, url in found.items():
            until(lambda url=url: answers(url), what=f"{name} that answers; {folder / name}/log")
        yield found
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", verify=NO_TLS).is_success
    except httpx.TransportError:
        return False


def _start(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / "log").open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, process_group=0)


def _command(name: str, folder: Path, port: int, urls: Sequence[str], more: str) -> list[str]:
    """A proxy's configuration, written, and the command that runs it in the foreground."""
    folder.mkdir(parents=True)
    for each in (folder.parent, folder):
        each.chmod(0o777)
    hosts = [url.removeprefix("http://") for url in urls]
    given = {
        "folder": folder,
        "port": port,
        "url": urls[0],
        "host": hosts[0],
        "upstream_port": hosts[0].rpartition(":")[2],
        "servers": " ".join(f"server {host};" for host in hosts),
        "to": "http://longline" if name == "nginx-two" else urls[0],
        "more": GZIP if name == "nginx-gzip" else more,
        "modules": _apache_modules(),
    }
    if name == "varnish":
        listen, where = f"127.0.0.1:{port}", str(folder / "varnish")
        return ["varnishd", "-F", "-a", listen, "-b", hosts[0], "-n", where, "-s", "malloc,32m"]
    text, command = {
        "haproxy": (HAPROXY, ["haproxy", "-f"]),
        "squid": (SQUID, ["squid", "-N", "-f"]),
        "apache": (APACHE, ["apache2", "-D", "FOREGROUND", "-f"]),
        "caddy": (CADDY, ["caddy", "run", "--adapter", "caddyfile", "--config"]),
    }.get(name, (NGINX, ["nginx", "-e", "stderr", "-c"]))
    (folder / "conf").write_text(text.format(**given))
    return [*command, str(folder / "conf")]


def _apache_modules() -> str:
    of = "/usr/lib/apache2/modules"
    return "\n".join(f"LoadModule {name}_module {of}/mod_{name}.so" for name in APACHE_MODULES)
