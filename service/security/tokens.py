"""Tokens: made once, shown once, kept as a hash. A token opens one workspace with some scopes.

A share link is a token too: for one mission to read, or one question to answer, and it expires.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, or_, select, update

from models import tokens, workspaces
from service import clock

SCOPES = ("read", "answer", "run", "admin")
PREFIX = "ll"  # so that a leaked one is recognised, by people and by scanners
FROM_ENVIRONMENT = "environment"  # the id of the token that the operator's environment holds
# Asked for each request of an open server, so for the driver: to build a statement costs more than it does.
ANY_MADE = "SELECT 1 FROM tokens WHERE mission_id IS NULL AND request_id IS NULL LIMIT 1"
OPEN = f"""
SELECT id, access_changes FROM workspaces WHERE name = 'default' AND NOT EXISTS ({ANY_MADE})
"""  # noqa: S608 (our own names)
USE_NOTED_EVERY_MS = 60_000  # the last use is for people: a write for each request would be waste

LINK = or_(tokens.c.mission_id.is_not(None), tokens.c.request_id.is_not(None))
VALID = and_(
    tokens.c.revoked_ms.is_(None),
    or_(tokens.c.expires_ms.is_(None), tokens.c.expires_ms > bindparam("now_ms")),
)
# Asked for each request that has a token.
OPENED = """
SELECT tokens.sha256, tokens.workspace_id, scopes, tokens.name, mission_id, request_id, expires_ms, access_changes,
  last_used_ms
FROM tokens JOIN workspaces ON workspaces.id = tokens.workspace_id
WHERE tokens.id = ? AND revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)
"""
# One query with `?`: its rows.
Ask = Callable[[str, Sequence[Any]], Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller may do, and the name under which it is remembered.

    token_id: None on open loopback. mission_id, request_id: all that a share link opens.
    changes: the count of changes of access (see `log.Head`) as of which this holds. used_ms: the last
    use that was noted before this one.
    """

    workspace_id: int
    scopes: frozenset[str]
    name: str
    token_id: str | None = None
    mission_id: int | None = None
    request_id: int | None = None
    expires_ms: int | None = None
    changes: int = -1
    used_ms: int | None = None

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes

    @property
    def is_link(self) -> bool:
        return self.mission_id is not None or self.request_id is not None


def create(
    conn: Connection,
    workspace_id: int,
    scopes: Sequence[str],
    *,
    name: str | None = None,
    expires_ms: int | None = None,
    mission_id: int | None = None,
    request_id: int | None = None,
) -> str:
    """Make a token. What it returns is nowhere else: the database holds its id and a SHA-256."""
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    closes = mission_id is None and request_id is None and not any_made(conn)
    conn.execute(
        insert(tokens).values(
            id=token_id,
            workspace_id=workspace_id,
            sha256=_sha256(secret),
            scopes=",".join(scopes),
            name=name,
            mission_id=mission_id,
            request_id=request_id,
            created_ms=clock.now_ms(),
            expires_ms=expires_ms,
        )
    )
    if closes:
        _tell_of_change(conn, workspace_named(conn, "default"))
    return f"{PREFIX}_{token_id}_{secret}"


def id_of(token: str) -> str:
    """The part of a token that may be shown: it names it and opens nothing."""
    return token.split("_")[1]


def keep_environment_token(conn: Connection, text: str | None) -> None:
    """Make the one token that the environment holds what it says there; without one, there is none.

    For platforms on which no command can run before the first start. It may do all in `default`.
    """
    # First, for it locks the workspace's row: several processes may start at the same moment.
    _tell_of_change(conn, workspace_named(conn, "default"))
    conn.execute(delete(tokens).where(tokens.c.id == FROM_ENVIRONMENT))
    if text is not None:
        conn.execute(
            insert(tokens).values(
                id=FROM_ENVIRONMENT,
                workspace_id=workspace_named(conn, "default"),
                sha256=_sha256(text),
                scopes="admin",
                name="operator",
                created_ms=clock.now_ms(),
            )
        )


def any_valid(conn: Connection) -> bool:
    """Whether there is a token that opens a workspace."""
    found = select(tokens.c.id).where(VALID, ~LINK).limit(1)
    return conn.execute(found, {"now_ms": clock.now_ms()}).first() is not None


def any_made(conn: Connection) -> bool:
    """Whether there ever was a token. The last one's end must not open the server to all.

    Share links do not count: who makes one on an open server does not mean to close it.
    """
    return conn.exec_driver_sql(ANY_MADE).first() is not None


def open_with(ask: Ask, text: str) -> Access | None:
    """What a token opens; None for one that is unknown, revoked, expired or not one at all."""
    token_id, secret = _parts(text)
    found = ask(OPENED, (token_id, clock.now_ms()))
    if not found:
        return None
    ((sha256, workspace_id, scopes, name, mission_id, request_id, *times),) = found
    if not hmac.compare_digest(sha256, _sha256(secret)):
        return None
    opens = frozenset(scopes.split(","))
    return Access(workspace_id, opens, name or token_id, token_id, mission_id, request_id, *times)


def still_valid(conn: Connection, token_ids: Collection[str | None]) -> set[str | None]:
    """Those of the tokens that still open what they opened; None stands for having none."""
    named = [token_id for token_id in token_ids if token_id is not None]
    found: set[str | None] = set()
    if None in token_ids and not any_made(conn):
        found.add(None)
    if named:
        valid = select(tokens.c.id).where(tokens.c.id.in_(named), VALID)
        found |= set(conn.execute(valid, {"now_ms": clock.now_ms()}).scalars())
    return found


def is_use_due(access: Access) -> bool:
    """Whether the last noted use of a token is long enough ago to note this one."""
    return access.used_ms is None or access.used_ms < clock.now_ms() - USE_NOTED_EVERY_MS


def note_use(conn: Connection, access: Access) -> None:
    conn.execute(
        update(tokens).where(tokens.c.id == access.token_id).values(last_used_ms=clock.now_ms())
    )


def revoke(conn: Connection, token_id: str) -> Row[Any] | None:
    """End a token now. Its row, or None when there is none that could still be ended."""
    revoked = conn.execute(
        update(tokens)
        .where(tokens.c.id == token_id, tokens.c.revoked_ms.is_(None))
        .values(revoked_ms=clock.now_ms())
        .returning(tokens.c.id, tokens.c.workspace_id)
    ).one_or_none()
    if revoked is not None:
        _tell_of_change(conn, revoked.workspace_id)
    return revoked


def listed(conn: Connection) -> Sequence[Row[Any]]:
    """All tokens and share links with the names of their workspaces, oldest first."""
    return conn.execute(
        select(tokens, workspaces.c.name.label("workspace"))
        .join(workspaces, workspaces.c.id == tokens.c.workspace_id)
        .order_by(tokens.c.created_ms, tokens.c.id)
    ).all()


def without_one(ask: Ask) -> Access | None:
    """What a caller on loopback may do where no token was ever made: all, in `default`."""
    for workspace_id, changes in ask(OPEN, ()):
        return Access(workspace_id, frozenset(SCOPES), "local", changes=changes)
    return None


def workspace_named(conn: Connection, name: str) -> int:
    """The id of a workspace, which is made if there is none of that name."""
    found = conn.execute(select(workspaces.c.id).where(workspaces.c.name == name)).scalar()
    if found is not None:
        return int(found)
    made = insert(workspaces).values(
        name=name, feed=secrets.token_hex(6), created_ms=clock.now_ms()
    )
    return int(conn.execute(made.returning(workspaces.c.id)).scalar_one())


def _tell_of_change(conn: Connection, workspace_id: int) -> None:
    """Have all that wait in a workspace be checked anew."""
    changed = workspaces.c.access_changes + 1
    conn.execute(
        update(workspaces).where(workspaces.c.id == workspace_id).values(access_changes=changed)
    )


def _parts(text: str) -> tuple[str, str]:
    """A token's id and its secret; any other text can only be the one of the environment."""
    prefix, _, rest = text.partition("_")
    if prefix != PREFIX:
        return FROM_ENVIRONMENT, text
    token_id, _, secret = rest.partition("_")
    return token_id, secret


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
