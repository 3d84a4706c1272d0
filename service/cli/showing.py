"""What commands print: JSON for programs, tables for people; nothing that a terminal would obey."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

# What a model or a page wrote may hold escape sequences, which a terminal would carry out.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def harmless(text: str) -> str:
    """The text without control characters, line ends and tabs aside."""
    return CONTROLS.sub(REPLACEMENT, text.replace("\r\n", "\n"))


def print_json(value: Any) -> None:
    """One value on one line where a program reads, on several where a person does."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(value, ensure_ascii=False, indent=indent))


def print_line(value: Any) -> None:
    """One value on one line, at once."""
    click.echo(json.dumps(value, ensure_ascii=False))
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table on a terminal; tab-separated lines in a pipe, for cut and awk."""
    texts = [["" if cell is None else harmless(str(cell)) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in texts:
            click.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in texts:
        table.add_row(*row)
    Console(markup=False, highlight=False).print(table)


def print_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Names and values, one a line."""
    for name, value in fields:
        if value not in (None, "", []):
            click.echo(f"{name:<10} {harmless(str(value))}")
