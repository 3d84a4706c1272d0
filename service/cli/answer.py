"""`longline answer`: the inbox on the command line."""

import json as json_module
import sys
from typing import Any

import click

from service.cli.asking import show_question
from service.cli.following import Printer
from service.cli.server import as_json, speaks_to_server
from service.cli.showing import print_json, print_table
from service.cli.typed import value_of
from service.client import Client


@click.command()
@click.argument("request", required=False, type=int)
@click.argument("text", required=False)
@click.option("--value", metavar="JSON", help="The answer as JSON, instead of TEXT.")
@as_json
@speaks_to_server
def answer(
    client: Client, request: int | None, text: str | None, value: str | None, json: bool
) -> None:
    """Answer a question of a mission, or see which are open.

    Without REQUEST: asks them one after the other on a terminal, lists them elsewhere. TEXT is what
    you would type: the answer, the number of a choice, y or n for an approval; `-` reads stdin.

    \b
    longline answer
    longline answer 3 'make it shorter'
    longline answer 4 --value '{"decision": "approve"}'
    """
    if request is None:
        _inbox(client, json=json)
        return
    question = client.request(request)
    if text is None and value is None and question["status"] == "pending":
        show_question(Printer(), question)
    given = _given(question, text, value)
    answered = client.answer(request, given)
    print_json(answered) if json else click.echo(f"answered request {request}")


def _inbox(client: Client, *, json: bool) -> None:
    pending = list(reversed(client.pending()))
    if json:
        print_json(pending)
    elif not sys.stdin.isatty() or not sys.stdout.isatty():
        columns = ("request", "mission", "type", "prompt", "expires")
        rows = [[q["id"], q["mission"], q["type"], q["prompt"], q["expires_at"]] for q in pending]
        print_table(columns, rows)
    else:
        _ask_each(client, pending)


def _ask_each(client: Client, pending: list[Any]) -> None:
    for question in pending:
        click.secho(f"\nRequest {question['id']} of mission {question['mission']}", bold=True)
        show_question(Printer(), question)
        client.answer(question["id"], _given(question, None, None))
    click.echo(f"\n{len(pending)} answered" if pending else "no open questions")


def _given(question: Any, text: str | None, value: str | None) -> Any:
    if value is not None:
        try:
            return json_module.loads(value)
        except ValueError:
            raise click.BadParameter("that is not JSON", param_hint="--value") from None
    while True:
        line = _line(text)
        try:
            return value_of(question, line)
        except ValueError as error:
            if text is not None or not sys.stdin.isatty():
                raise click.UsageError(str(error)) from None
            click.secho(f"   {error}", fg="red")


def _line(text: str | None) -> str:
    if text == "-":
        return sys.stdin.read().rstrip("\n")
    if text is not None:
        return text
    line = sys.stdin.readline()
    if not line:
        raise click.UsageError("No TEXT was given, and there is nothing on stdin.")
    return line.rstrip("\n")
