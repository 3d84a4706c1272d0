"""Parameters that several operations take."""

from collections.abc import Sequence

from service.api.openapi.operations import number, query
from service.api.openapi.values import Schema
from service.events.kinds import Kind

SOME_KINDS = f"({'|'.join(Kind)})"

AFTER = query(
    "after",
    {"type": "string", "pattern": r"^([0-9]{1,15}|now|-[1-9][0-9]{0,2})$"},
    "Events behind this number; `now`: behind the newest; `-N`: the N newest, no more than `limit`. "
    "Left out: 0.",
    example="57",
)
WAIT = query(
    "wait",
    {"type": "string", "pattern": r"^[0-9]{1,20}(\.[0-9]{1,20})?$"},
    "Seconds to hold while nothing comes; above 25 means 25. Left out: 20 behind `after`, else 0.",
    example="20",
)
MISSIONS = query(
    "mission",
    {"type": "string", "pattern": r"^[0-9]{1,16}(,[0-9]{1,16}){0,99}$"},
    "Ids, separated by commas, at most 100.",
    example="7,8",
)
KIND = query(
    "kind",
    {
        "type": "string",
        "pattern": f"^({SOME_KINDS}(,{SOME_KINDS})*|-{SOME_KINDS}(,-{SOME_KINDS})*)$",
    },
    "Kinds to get, or, each with `-` before it, kinds to leave out.",
    example="-STREAM,-LOG",
)
LIMIT = number(
    "limit", 1, 1000, "Events in one answer; fewer where it would reach 1 MiB. Left out: 500."
)
CLIENT = query(
    "client",
    {"type": "string", "maxLength": 200},
    "Has no effect. Another one each time makes an address that no cache has seen.",
)
LAST_ID: Schema = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "What an EventSource sends when it comes again: wins over `after`, there alone.",
    "schema": {"type": "string", "pattern": r"^[0-9]{1,15}$"},
}
KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A text of your own: what was done under it is not done again.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "pattern": r"^[!-~]([ -~]*[!-~])?$",
    },
}


def statuses(known: Sequence[str]) -> Schema:
    some = "|".join(known)
    pattern = f"^({some})(,({some}))*$"
    text = f"Only these, separated by commas: {', '.join(known)}."
    return query("status", {"type": "string", "pattern": pattern}, text, example=known[0])
