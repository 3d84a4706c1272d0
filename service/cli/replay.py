"""`longline replay`: an exported mission played back as if it happened now, on a server of its own."""

import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import click

from service import clock, config, schema
from service.cli.archive import Archive, read
from service.cli.ports import first_free
from service.cli.processes import Processes
from service.cli.serve import LOOK_S
from service.config import Settings
from service.db import Database
from service.missions import playback
from service.security import tokens

PAUSE_MOST_S = 30.0  # a human thought for longer than anybody watches


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="2 is twice as fast.",
)
@click.option("--port", default=8000, show_default=True, help="The first free one from here on.")
@click.option("--once", is_flag=True, help="End when the mission has ended.")
def replay(file: Path, speed: float, port: int, once: bool) -> None:
    """Play an exported mission as if it were live: for demos, and for work on pages, without a key.

    It has a server and a database of its own, which are gone when you press Ctrl-C.

    \b
    longline export 7
    longline replay mission-7.zip --speed 10
    """
    archive, port = read(file), first_free(port)
    with tempfile.TemporaryDirectory(prefix="longline-replay-") as folder:
        processes = _web(folder, port)
        processes.stop_on_signals()
        db = Database(Settings(data=Path(folder), database_url=None))
        schema.upgrade(db)
        player = threading.Thread(target=_play, args=(db, archive, speed, port), daemon=True)
        player.start()
        while not processes.stopping and (player.is_alive() or not once):
            processes.look()
            time.sleep(LOOK_S)
        processes.stop()


def _web(folder: str, port: int) -> Processes:
    environment = config.environment(
        DATABASE_URL=None, PORT=None, LONGLINE_DATA=folder, LONGLINE_HOST="127.0.0.1",
        LONGLINE_PORT=str(port),
    )  # fmt: skip
    return Processes({"web": [sys.executable, "-m", "service.cli", "web"]}, environment)


def _play(db: Database, archive: Archive, speed: float, port: int) -> None:
    with db.transaction() as conn:
        workspace_id = tokens.workspace_named(conn, "default")
        playing = playback.begin(conn, workspace_id, archive.mission, archive.contents)
    click.echo(f"http://127.0.0.1:{port}/m/{playing.mission_id}")
    before = playback.ms(archive.events[0]["at"])
    for event in archive.events:
        at = playback.ms(event["at"])
        time.sleep(min(PAUSE_MOST_S, max(0, at - before) / 1000) / speed)
        before = at
        with db.transaction() as conn:
            playing.play(conn, _now(event))
    with db.transaction() as conn:
        playing.finish(conn, archive.mission)


def _now(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"at": clock.rfc3339(clock.now_ms())}
