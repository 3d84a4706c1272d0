"""Durations as people write them: `30d`, `12h`, `45m`, `90s`."""

import re
from typing import Any

import click

MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Duration(click.ParamType[int]):
    """Milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        found = re.fullmatch(r"([0-9]{1,6})([smhd])", str(value))
        if found is None:
            self.fail(f"{value!r} is not a duration like 30d, 12h, 45m or 90s", param, ctx)
        return int(found[1]) * MS[found[2]]


DURATION = Duration()
