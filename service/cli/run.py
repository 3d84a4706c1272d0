"""`longline run`: creates a mission, follows it, asks its questions here, and ends as it ends."""

import json as json_module
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click
import yaml

from service.cli.asking import Asker
from service.cli.following import LivePrinter, Printer, printer
from service.cli.outcome import BY_STATUS, HELP, Exit
from service.cli.server import as_json, connect, speaks_to_server
from service.cli.showing import print_json, print_line
from service.client import Client


@click.command(epilog=HELP)
@click.argument("spec", required=False, type=click.File("rb"))
@click.option("--project", help="Run a project of the server instead of a SPEC.")
@click.option("--input", "inputs", multiple=True, metavar="KEY=VALUE", help="Fill a {placeholder}.")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that its agents may read; may be repeated.",
)
@click.option("--key", help="An Idempotency-Key: under it, the mission is made only once.")
@click.option("--detach", is_flag=True, help="Do not follow: print the mission's id and end.")
@click.option("--no-input", is_flag=True, help="Do not ask here: end with 6 when it asks.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Follow no longer than this.")
@as_json
@speaks_to_server
def run(
    client: Client,
    spec: Any,
    project: str | None,
    inputs: tuple[str, ...],
    files: tuple[Path, ...],
    key: str | None,
    detach: bool,
    no_input: bool,
    timeout: float | None,
    json: bool,
) -> None:
    """Run a mission and follow it to its end.

    SPEC is a mission as JSON or YAML, `-` for stdin; docs/missions.md tells what is in it. Its
    questions are asked here, unless somebody answers elsewhere first. With --json, each event is
    printed as a line of JSON.

    \b
    longline run brief.yaml
    longline run brief.json --input topic='heat pumps'
    longline run brief.json --file notes.md --file figures.csv
    longline run --project research --input topic=batteries --detach
    echo 'shorter, please' | longline run brief.json
    """
    mission = client.missions.create(_spec(spec, project, inputs), key=key, files=_contents(files))
    if detach:
        print_json(mission) if json else click.echo(mission["id"])
        return
    end_after(timeout)
    raise SystemExit(follow(client, mission, no_input=no_input, json=json))


def end_after(timeout_s: float | None) -> None:
    """End the process by TimeoutError: nothing else gets a thread out of a held request in time."""
    if timeout_s is not None:
        signal.signal(signal.SIGALRM, _over)
        signal.setitimer(signal.ITIMER_REAL, timeout_s)


def follow(client: Client, mission: Any, *, no_input: bool, json: bool) -> int:
    """Show a mission's events until its last; the exit code that its end means."""
    shown = None if json else printer()
    if isinstance(shown, LivePrinter):
        shown.expect(mission["progress"]["total"])
    asker = None if no_input or shown is None else Asker(lambda: connect(client.url), shown)
    try:
        for event in client.follow(mission["id"]):
            print_line(event) if shown is None else shown.show(event)
            if asker is not None:
                asker.see(event)
            elif event["kind"] == "HUMAN_INPUT_REQUEST" and no_input:
                return _asked(event, shown)
    except (KeyboardInterrupt, TimeoutError):
        click.echo(f"\nIt goes on without us:  longline tail {mission['id']}", err=True)
        raise
    finally:
        if shown is not None:
            shown.close()
    return int(BY_STATUS.get(client.missions.get(mission["id"])["status"], Exit.ERROR))


def _asked(event: Any, shown: Printer | None) -> int:
    """Nobody here answers: say how it is done, on a line of its own."""
    if shown is not None:
        shown.close()
    click.echo(f"It asks:  longline answer {event['data']['id']}", err=True)
    return Exit.QUESTION


def _spec(given: Any, project: str | None, inputs: tuple[str, ...]) -> dict[str, Any]:
    if (given is None) == (project is None):
        raise click.UsageError("Give either a SPEC or --project.")
    spec: dict[str, Any] = {"project": project} if given is None else read_spec(given)
    pairs = dict(_pair(text) for text in inputs)
    return spec | ({"inputs": spec.get("inputs", {}) | pairs} if pairs else {})


def read_spec(given: Any) -> dict[str, Any]:
    """A mission from a file: YAML, of which JSON is a part; but JSON's own errors for *.json."""
    text = given.read()
    is_json = Path(given.name).suffix == ".json"
    try:
        spec = json_module.loads(text) if is_json else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise click.UsageError(f"{given.name}: {error}") from None
    if not isinstance(spec, dict):
        raise click.UsageError(f"{given.name}: a mission is an object with agents and a plan.")
    return spec


def _contents(files: tuple[Path, ...]) -> dict[str, bytes]:
    """Files by their names, without their folders."""
    contents: dict[str, bytes] = {}
    for file in files:
        if file.name in contents:
            raise click.BadParameter(f"two files are called {file.name}", param_hint="--file")
        contents[file.name] = file.read_bytes()
    return contents


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--input")
    return name, value


def _over(_number: int, _frame: FrameType | None) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    sys.stdout.flush()
    raise TimeoutError("the time given by --timeout is over")
