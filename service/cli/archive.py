"""`longline export`, `import`, `replay`: a mission with its events and files as one file, and back."""

import json as json_module
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from service.cli.database import prepared
from service.cli.server import as_json, speaks_to_server
from service.cli.showing import print_json
from service.client import Client
from service.client.values import ENDED
from service.events.kinds import Kind
from service.missions import playback
from service.security import tokens

FORMAT = 1
MAX_BYTES = 512 * 1024 * 1024  # unpacked: a small file may claim to hold the world


@dataclass(frozen=True)
class Archive:
    """What a file holds. contents: of files, by the id that events name them by."""

    mission: dict[str, Any]
    events: list[dict[str, Any]]
    contents: dict[int, bytes]


@click.command()
@click.argument("mission", type=int)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="mission-ID.zip without.")
@as_json
@speaks_to_server
def export(client: Client, mission: int, output: Path | None, json: bool) -> None:
    """Save a mission that has ended, with its events and files, as one archive; prints its name.

    \b
    longline export 7
    longline export 7 -o keep/heat-pumps.zip
    """
    found: Any = client.missions.get(mission)
    if found["status"] not in ENDED:
        raise click.ClickException(f"mission {mission} is {found['status']}; it has to end first")
    target = output or Path(f"mission-{mission}.zip")
    if target.exists():
        raise click.ClickException(f"{target} is there already")
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mission.json", json_module.dumps({"format": FORMAT, "mission": found}))
        lines = (json_module.dumps(event) + "\n" for event in client.follow(mission))
        file.writestr("events.ndjson", "".join(lines))
        for one in client.missions.files(mission):
            file.writestr(f"files/{one['id']}", client.file(one["id"]))
    made = {"mission": mission, "file": str(target), "bytes": target.stat().st_size}
    print_json(made) if json else click.echo(target)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--workspace", default="default", show_default=True, help="Made if there is none.")
@as_json
def import_(file: Path, workspace: str, json: bool) -> None:
    """Put an exported mission into the database, under a new id, which is printed. Runs nothing.

    \b
    longline import mission-7.zip
    """
    archive = read(file)
    db = prepared()
    with db.transaction() as conn:
        workspace_id = tokens.workspace_named(conn, workspace)
        playing = playback.begin(conn, workspace_id, archive.mission, archive.contents)
        for event in archive.events:
            playing.play(conn, event)
        playing.finish(conn, archive.mission)
    db.close()
    made = {"mission": playing.mission_id, "events": len(archive.events), "workspace": workspace}
    print_json(made) if json else click.echo(playing.mission_id)


def read(path: Path) -> Archive:
    """An archive's parts. Raises ClickException for what is none, or would not fit into memory."""
    try:
        with zipfile.ZipFile(path) as file:
            if sum(part.file_size for part in file.infolist()) > MAX_BYTES:
                raise click.ClickException(f"{path} holds more than {MAX_BYTES} bytes")
            head = json_module.loads(file.read("mission.json"))
            events = [json_module.loads(line) for line in file.read("events.ndjson").splitlines()]
            names = [name for name in file.namelist() if name.startswith("files/")]
            contents = {int(name.removeprefix("files/")): file.read(name) for name in names}
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise click.ClickException(f"{path} is not an exported mission") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT or not _is_whole(events):
        raise click.ClickException(f"{path} is not a whole exported mission of format {FORMAT}")
    return Archive(head["mission"], events, contents)


def _is_whole(events: list[Any]) -> bool:
    """Whether these are all events of one mission, from the first to the one that ends it."""
    numbers = [event.get("mseq") for event in events if isinstance(event, dict)]
    return (
        bool(events)
        and numbers == list(range(1, len(events) + 1))
        and all(event["kind"] in list(Kind) for event in events)
        and events[-1]["name"] in playback.ENDS
    )
