"""What a client asks of the feed: the grammar of `GET /events`, parsed into typed values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from service.errors import Problem
from service.events.kinds import Kind

WAIT_MAX_S = 25.0  # the shortest proxies cut at 29-30 s; answer before they do
WAIT_DEFAULT_S = 20.0
LIMIT_DEFAULT = 500
LIMIT_MAX = 1000
AFTER_MAX = 2**53 - 1  # the largest integer that JavaScript holds exactly
MISSIONS_MAX = 100
CLIENT_MAX_CHARS = 200

# Not int(): it takes "+5", "1_000" and other scripts' digits.
DIGITS = re.compile(r"[0-9]{1,16}")
SECONDS = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")  # JavaScript writes up to 17 decimals


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a client wants. Empty tuples mean all. Equal filters share one answer.

    mission: set for the feed of one mission, which also tells its status and when it closes.
    """

    workspace_id: int
    mission: int | None = None
    missions: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    without_kinds: tuple[str, ...] = ()
    limit: int = LIMIT_DEFAULT

    @property
    def mission_ids(self) -> tuple[int, ...]:
        return self.missions if self.mission is None else (self.mission,)

    def wants(self, mission_id: int, kind: str) -> bool:
        """Whether an event can matter: it passes the filter, or may close the feed."""
        if self.mission_ids and mission_id not in self.mission_ids:
            return False
        if self.mission is not None and kind == Kind.STATUS:
            return True
        return self.passes(mission_id, kind)

    def passes(self, mission_id: int, kind: str) -> bool:
        """Whether an event is in the answer."""
        if self.mission_ids and mission_id not in self.mission_ids:
            return False
        return (not self.kinds or kind in self.kinds) and kind not in self.without_kinds


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """One poll. Exactly one of after, newest and now says where it starts.

    after: exclusive cursor. newest: begin so many events before the end. wait_s: 0 … WAIT_MAX_S.
    """

    filter: Filter
    after: int | None
    newest: int | None
    wait_s: float


def parse(
    arguments: Mapping[str, list[str]], workspace_id: int, *, mission: int | None = None
) -> FeedQuery:
    """The query string as a FeedQuery. Raises Problem invalid, naming the parameter.

    arguments: each parameter's values; unknown names have been refused before.
    """
    given = {name: once(name, values) for name, values in arguments.items()}
    limit = integer(given, "limit", LIMIT_DEFAULT, low=1, high=LIMIT_MAX)
    after, newest = _start(given.get("after", "0"), limit)
    kinds, without_kinds = _kinds(given.get("kind"))
    if len(given.get("client", "")) > CLIENT_MAX_CHARS:
        raise misfit("client", f"may have {CLIENT_MAX_CHARS} characters at most")
    return FeedQuery(
        Filter(workspace_id, mission, _missions(given), kinds, without_kinds, limit),
        after,
        newest,
        seconds(given, "wait", WAIT_DEFAULT_S if "after" in given else 0.0),
    )


def from_cursor(query: FeedQuery, after: int) -> FeedQuery:
    """The same poll from a cursor that is now known."""
    return replace(query, after=after, newest=None)


def integer(given: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not DIGITS.fullmatch(text) or not low <= int(text) <= high:
        raise misfit(name, f"must be a whole number, {low} … {high}")
    return int(text)


def seconds(given: Mapping[str, str], name: str, default: float) -> float:
    """Seconds to hold; more than WAIT_MAX_S is clamped to it."""
    text = given.get(name)
    if text is None:
        return default
    if not SECONDS.fullmatch(text):
        raise misfit(name, "must be seconds, 0 … 25, decimals allowed")
    return min(float(text), WAIT_MAX_S)


def misfit(name: str, detail: str) -> Problem:
    error = {"parameter": name, "detail": detail}
    return Problem("invalid", f"{name} {detail}", errors=[error])


def once(name: str, values: list[str]) -> str:
    """The value of a parameter. Raises Problem invalid when there are several."""
    if len(values) != 1:
        raise misfit(name, "may be given once")
    return values[0]


def _start(text: str, limit: int) -> tuple[int | None, int | None]:
    """(after, newest) of `57`, `now` or `-10`; `now` is the newest 0."""
    if text == "now":
        return None, 0
    count = text.removeprefix("-")
    if not DIGITS.fullmatch(count):
        raise misfit("after", "must be digits, `now`, or `-N` for the N newest")
    if text.startswith("-"):
        if not 1 <= int(count) <= limit:
            raise misfit("after", f"may ask for the newest 1 … {limit} (the limit)")
        return None, int(count)
    if int(count) > AFTER_MAX:
        raise misfit("after", "may be 2**53 - 1 at most")
    return int(count), None


def _missions(given: Mapping[str, str]) -> tuple[int, ...]:
    text = given.get("mission")
    if text is None:
        return ()
    ids = text.split(",")
    if len(ids) > MISSIONS_MAX or not all(DIGITS.fullmatch(part) for part in ids):
        raise misfit("mission", f"must be ids, comma-separated, at most {MISSIONS_MAX}")
    return tuple(sorted({int(part) for part in ids}))


def _kinds(text: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(wanted, left out) of `STATUS,OUTPUT` or `-STREAM,-LOG`."""
    if text is None:
        return (), ()
    named = text.split(",")
    for name in named:
        if name.removeprefix("-") not in list(Kind):
            raise misfit("kind", f"does not know {name!r}; there are {', '.join(Kind)}")
    left_out = {name.removeprefix("-") for name in named if name.startswith("-")}
    wanted = {name for name in named if not name.startswith("-")}
    if wanted and left_out:
        raise misfit("kind", "either names kinds or leaves some out, not both")
    return tuple(sorted(wanted)), tuple(sorted(left_out))
