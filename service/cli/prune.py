"""`longline prune`: deletes what is older than an age."""

import re

import click

from service import clock
from service.cli.database import existing
from service.cli.server import as_json
from service.cli.showing import print_json
from service.missions import retention

UNITS_MS = {"h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


class Age(click.ParamType[int]):
    """`30d`, `12h`, `4w`, in milliseconds."""

    name = "age"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([0-9]{1,6})([hdw])", value)
        if found is None:
            self.fail(f"{value!r} is not an age such as 30d, 12h or 4w", param, ctx)
        return int(found[1]) * UNITS_MS[found[2]]


@click.command()
@click.option("--older-than", "age_ms", type=Age(), required=True, help="30d, 12h, 4w, …")
@as_json
def prune(age_ms: int, json: bool) -> None:
    """Delete events older than an age, and missions that ended before it, with their files.

    Safe while everything runs. Clients whose number lies in what is gone are told so.

    \b
    longline prune --older-than 30d
    """
    db = existing()
    sums = [0, 0]
    for deleted in retention.prune(db, before_ms=clock.now_ms() - age_ms):
        sums = [total + count for total, count in zip(sums, deleted, strict=True)]
    db.close()
    if json:
        print_json({"events": sums[0], "missions": sums[1]})
    else:
        click.echo(f"deleted {sums[0]} events and {sums[1]} missions")
