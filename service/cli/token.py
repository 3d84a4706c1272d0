"""`longline token`: the keys to a server that others can reach."""

import click

from service import clock
from service.cli.database import existing, prepared
from service.cli.durations import DURATION
from service.cli.server import as_json
from service.cli.showing import print_json, print_table
from service.clock import rfc3339_or_none
from service.security import audit, tokens


@click.group()
def token() -> None:
    """Make, list and revoke tokens. Works on the database itself."""


@token.command()
@click.option(
    "--scope",
    "scopes",
    default="read,answer,run",
    show_default=True,
    help=f"Comma-separated, out of {', '.join(tokens.SCOPES)}; admin includes the others.",
)
@click.option("--workspace", default="default", show_default=True, help="Made if there is none.")
@click.option("--name", help="Who has it: shown with the answers that it gives.")
@click.option("--expires", type=DURATION, help="After this long it opens nothing: 30d, 12h.")
@as_json
def create(scopes: str, workspace: str, name: str | None, expires: int | None, json: bool) -> None:
    """Make a token and print it, this once: the database keeps only a hash.

    \b
    longline token create --name ada
    longline token create --scope read --expires 7d --name dashboard
    """
    wanted = scopes.split(",")
    unknown = [scope for scope in wanted if scope not in tokens.SCOPES]
    if unknown:
        raise click.BadParameter(f"there is no scope {unknown[0]!r}", param_hint="--scope")
    with prepared().transaction() as conn:
        workspace_id = tokens.workspace_named(conn, workspace)
        made = tokens.create(conn, workspace_id, wanted, name=name, expires_ms=_from_now(expires))
        audit.note_operator(
            conn, workspace_id, "token.created", f"token {tokens.id_of(made)} ({scopes})"
        )
    print_json({"id": tokens.id_of(made), "token": made}) if json else click.echo(made)


@token.command("list")
@as_json
def list_all(json: bool) -> None:
    """List tokens: their ids and what they open, never themselves."""
    with existing().reading() as conn:
        rows = tokens.listed(conn)
    found = [
        {
            "id": row.id,
            "workspace": row.workspace,
            "name": row.name,
            "scopes": row.scopes.split(","),
            "created_at": rfc3339_or_none(row.created_ms),
            "expires_at": rfc3339_or_none(row.expires_ms),
            "last_used_at": rfc3339_or_none(row.last_used_ms),
            "revoked_at": rfc3339_or_none(row.revoked_ms),
        }
        for row in rows
    ]
    if json:
        print_json(found)
        return
    columns = ("id", "workspace", "name", "scopes", "created", "expires", "last used", "revoked")
    print_table(
        columns,
        [[*list(f.values())[:3], ",".join(f["scopes"]), *list(f.values())[4:]] for f in found],
    )


@token.command()
@click.argument("token_id", metavar="ID")
@as_json
def revoke(token_id: str, json: bool) -> None:
    """End a token now. ID is as `token list` shows it; the whole token does as well."""
    with existing().transaction() as conn:
        ended = tokens.revoke(conn, tokens.id_of(token_id) if "_" in token_id else token_id)
        if ended is not None:
            audit.note_operator(conn, ended.workspace_id, "token.revoked", f"token {ended.id}")
    if ended is None:
        raise click.ClickException("there is no such token that could still be revoked")
    print_json({"id": ended.id}) if json else click.echo(f"revoked {ended.id}")


def _from_now(duration_ms: int | None) -> int | None:
    return None if duration_ms is None else clock.now_ms() + duration_ms
