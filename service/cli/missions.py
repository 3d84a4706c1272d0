"""`longline missions`, `show`, `cancel`, `retry`, `files`: missions seen and steered from a shell."""

from pathlib import Path
from typing import Any

import click

from service.cli.outcome import BY_STATUS, HELP
from service.cli.server import as_json, speaks_to_server
from service.cli.showing import print_fields, print_json, print_table
from service.client import Client
from service.client.values import ENDED

WITHOUT_NAME = ("", ".", "..")


@click.command()
@click.option("--status", help="Comma-separated: queued, running, waiting, completed, …")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 200), help="How many."
)
@click.option("--before", type=int, metavar="ID", help="Only missions older than this one.")
@as_json
@speaks_to_server
def missions(
    client: Client, status: str | None, limit: int, before: int | None, json: bool
) -> None:
    """List missions, newest first."""
    found = client.missions(status=status, limit=limit, before=before)
    if json:
        print_json(found)
        return
    rows = [[m["id"], m["status"], _tasks(m), m["created_at"], m["title"]] for m in found]
    print_table(("id", "status", "tasks", "created", "title"), rows)


@click.command(epilog=HELP)
@click.argument("mission", type=int)
@click.option("--wait", is_flag=True, help="Wait until it has ended; the exit code tells how.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Wait no longer than this.")
@as_json
@speaks_to_server
def show(client: Client, mission: int, wait: bool, timeout: float | None, json: bool) -> None:
    """Show one mission: how it stands, what it used, its result.

    \b
    longline show 7
    longline show 7 --wait --timeout 600 --json | jq -r .result.text
    """
    waited = wait or timeout is not None
    found: Any = (
        client.wait_until(mission, within_s=timeout) if waited else client.missions.get(mission)
    )
    print_json(found) if json else _print(found)
    if waited:
        raise SystemExit(int(BY_STATUS[found["status"]]))


@click.command()
@click.argument("mission", type=int)
@as_json
@speaks_to_server
def cancel(client: Client, mission: int, json: bool) -> None:
    """Order a mission to end: one in the queue ends at once, one that runs within seconds."""
    found = client.missions.cancel(mission)
    print_json(found) if json else click.echo(f"mission {mission} {_how(found)}")


def _how(found: Any) -> str:
    status = found["status"]
    return f"is {status}" if status in ENDED else f"is {status}, and told to end"


@click.command()
@click.argument("mission", type=int)
@as_json
@speaks_to_server
def retry(client: Client, mission: int, json: bool) -> None:
    """Start a new mission from an earlier one's spec; prints its id."""
    found = client.missions.retry(mission)
    print_json(found) if json else click.echo(found["id"])


@click.command()
@click.argument("mission", type=int)
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Fetch them into it.",
)
@as_json
@speaks_to_server
def files(client: Client, mission: int, save: Path | None, json: bool) -> None:
    """List a mission's files, or fetch them into a folder.

    \b
    longline files 7
    longline files 7 --save out/
    """
    found = client.missions.files(mission)
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        for file in found:
            _save(save, file, client.file(file["id"]))
    if json:
        print_json(found)
    else:
        rows = [[f["id"], f["direction"], f["bytes"], f["media_type"], f["name"]] for f in found]
        print_table(("id", "direction", "bytes", "type", "name"), rows)


def _save(folder: Path, file: Any, content: bytes) -> None:
    """Under the last part of its name: a name is data, and must not lead out of the folder."""
    name = file["name"].replace("\\", "/").rpartition("/")[2]
    name = f"file-{file['id']}" if name in WITHOUT_NAME or "\0" in name else name
    target = folder / name
    if target.exists():
        raise click.ClickException(f"{target} is there already")
    target.write_bytes(content)


def _tasks(mission: Any) -> str:
    return f"{mission['progress']['done']}/{mission['progress']['total']}"


def _print(mission: Any) -> None:
    usage, error = mission["usage"], mission["error"]
    cost = "" if usage["cost_usd"] is None else f", ${usage['cost_usd']:.4f}"
    print_fields(
        [
            ("mission", f"{mission['id']}  {mission['title']}"),
            ("status", mission["status"]),
            ("attempt", mission["attempt"]),
            ("tasks", _tasks(mission)),
            ("created", mission["created_at"]),
            ("started", mission["started_at"]),
            ("ended", mission["ended_at"]),
            ("usage", f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens{cost}"),
            ("questions", ", ".join(str(number) for number in mission["requests"])),
            ("error", f"{error['code']}: {error['message']}" if error else None),
            ("result", (mission["result"] or {}).get("text")),
        ]
    )
