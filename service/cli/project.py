"""`longline project`: what missions may run of your own code."""

import os
import re

import click

from service import config
from service.cli.database import existing, prepared
from service.cli.server import as_json
from service.cli.settings import BadSettings, settings
from service.cli.showing import print_json, print_table
from service.config import Settings
from service.missions import projects, target
from service.missions.project_spec import PROJECT_NAME
from service.missions.projects import Found
from service.worker import surroundings


@click.group()
def project() -> None:
    """Register your own crews, flows and graphs."""


@project.command()
@click.argument("name")
@click.argument("where", metavar="TARGET")
@as_json
def add(name: str, where: str, json: bool) -> None:
    """Look at TARGET (a folder, FILE.py:OBJECT or MODULE:OBJECT) and offer it as NAME.

    Registering it again looks again. Workers need it at the same place. Works on the database itself:
    run it where the server runs, with the same LONGLINE_DATA or DATABASE_URL.

    \b
    longline project add market crews/market
    longline project add triage flows/triage.py:Triage
    """
    if not re.match(PROJECT_NAME, name):
        raise click.BadParameter("letters, digits, _, . and - only", param_hint="NAME")
    found_settings = settings()
    try:
        place = target.absolute(where)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="TARGET") from None
    db = prepared()  # before the look, which leaves the project's environment behind
    found = _look(place, found_settings)
    if found.error is not None:
        raise click.ClickException(f"{place}: {found.error}")
    with db.transaction() as conn:
        projects.register(conn, name, place, found, source="command")
    if json:
        print_json(
            {"name": name, "kind": found.kind, "engine": found.engine, "inputs": found.inputs}
        )
        return
    inputs = ", ".join((found.inputs or {}).get("properties", {})) or "none"
    click.echo(f"{name}: a {found.kind} for {found.engine}; inputs: {inputs}")


@project.command("list")
@as_json
def list_all(json: bool) -> None:
    """Show what is registered."""
    with existing().reading() as conn:
        rows = projects.listed(conn)
    columns = ("name", "kind", "target", "error")
    found = [[row.name, row.kind or "broken", row.target, row.error] for row in rows]
    if json:
        print_json([dict(zip(columns, one, strict=True)) for one in found])
    else:
        print_table(columns, found)


@project.command()
@click.argument("name")
def remove(name: str) -> None:
    """Offer NAME no more. Missions that ran it stay."""
    with existing().transaction() as conn:
        gone = projects.remove(conn, name)
    if not gone:
        raise click.ClickException(f"there is no project {name}")


def _look(place: str, found_settings: Settings) -> Found:
    """Load the project in this process, which ends soon."""
    where = target.parse(place)
    config.prepare_agent_environment(found_settings)
    storage = found_settings.data / "crewai"
    config.become(surroundings.of_project(found_settings, where.folder, storage).environment)
    try:
        from service.agents.projects import describing  # other commands start without it
    except ImportError as error:
        raise BadSettings(f"{error.name} is missing: pip install 'longline[worker]'") from None
    if where.folder is not None:
        os.chdir(where.folder)
    return describing.describe(where, where.folder)
