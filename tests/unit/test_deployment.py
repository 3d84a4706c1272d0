"""What platforms are told to run is there: Procfile, render.yaml, Dockerfile, the unit for systemd."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml

from service.cli import WHERE
from tests.debian import need

ROOT = Path(__file__).resolve().parents[2]


def is_ours(command: str) -> bool:
    words = shlex.split(command)
    return Path(words[0]).name == "longline" and words[1] in WHERE


def test_every_process_of_the_procfile_is_a_command() -> None:
    lines = [line.partition(": ") for line in (ROOT / "Procfile").read_text().splitlines()]
    assert [name for name, _, _ in lines] == ["release", "web", "worker", "sender"]
    assert all(is_ours(command) for _, _, command in lines)


def test_render_starts_one_service_with_a_disk_and_a_health_check() -> None:
    [service] = yaml.safe_load((ROOT / "render.yaml").read_text())["services"]
    given = {one["key"]: one.get("value") for one in service["envVars"]}
    assert is_ours(service["startCommand"])
    assert given["LONGLINE_DATA"].startswith(service["disk"]["mountPath"])
    assert service["healthCheckPath"] in ("/healthz", "/readyz")
    generated = [one["key"] for one in service["envVars"] if one.get("generateValue")]
    assert generated == ["LONGLINE_ADMIN_TOKEN"]  # no shell is to be had there before it runs


def test_the_unit_stops_in_order_and_gives_time() -> None:
    unit = (ROOT / "docs" / "longline.service").read_text()
    commands = re.findall(r"^Exec\w+=(.*)$", unit, re.MULTILINE)
    assert all(is_ours(command) for command in commands)
    assert "KillMode=mixed" in unit
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) > 25  # what `serve` itself gives


def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    """With our command in the place where the manual installs it."""
    need(**{"systemd-analyze": "systemd"})
    unit = tmp_path / "longline.service"
    text = (ROOT / "docs" / "longline.service").read_text()
    unit.write_text(text.replace("/opt/longline/bin/longline", str(Path(sys.executable))))
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_image_holds_what_is_installed_and_nothing_of_a_developers() -> None:
    image = (ROOT / "Dockerfile").read_text()
    copied = {
        word
        for line in re.findall(r"^COPY (.*)$", image, re.MULTILINE)
        for word in line.split()[:-1]
    }
    assert copied == {"pyproject.toml", "setup.cfg", "README.md", "LICENSE",
                      "models", "service", "migrations", "static"}  # fmt: skip
    assert "USER 10001" in image  # a number: Kubernetes can tell that it is not root
