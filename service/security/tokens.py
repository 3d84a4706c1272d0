"""Tokens: made once, shown once, kept as a hash. A token opens one workspace with some scopes."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select

from models import tokens, workspaces
from service import clock

SCOPES = ("read", "answer", "run", "admin")
PREFIX = "ll"  # so that a leaked one is recognised, by people and by scanners


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller may do, and the name under which it is remembered."""

    workspace_id: int
    scopes: frozenset[str]
    name: str

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


def create(
    conn: Connection,
    workspace_id: int,
    scopes: Sequence[str],
    *,
    name: str | None = None,
    expires_ms: int | None = None,
) -> str:
    """Make a token. What it returns is nowhere else: the database holds its id and a SHA-256."""
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    conn.execute(
        insert(tokens).values(
            id=token_id,
            workspace_id=workspace_id,
            sha256=_sha256(secret),
            scopes=",".join(scopes),
            name=name,
            created_ms=clock.now_ms(),
            expires_ms=expires_ms,
        )
    )
    return f"{PREFIX}_{token_id}_{secret}"


def any_valid(conn: Connection) -> bool:
    """Whether there is a token that opens anything."""
    return conn.execute(select(tokens.c.id).where(_valid()).limit(1)).first() is not None


def any_made(conn: Connection) -> bool:
    """Whether there ever was a token. The last one's end must not open the server to all."""
    return conn.execute(select(tokens.c.id).limit(1)).first() is not None


def open_with(conn: Connection, text: str) -> Access | None:
    """What a token opens; None for one that is unknown, revoked, expired or not one at all."""
    _, _, rest = text.partition(f"{PREFIX}_")
    token_id, _, secret = rest.partition("_")
    row = conn.execute(
        select(tokens.c.workspace_id, tokens.c.sha256, tokens.c.scopes, tokens.c.name).where(
            tokens.c.id == token_id, _valid()
        )
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.sha256, _sha256(secret)):
        return None
    return Access(row.workspace_id, frozenset(row.scopes.split(",")), row.name or token_id)


def everything(conn: Connection) -> Access:
    """What a caller on loopback may do where no token was ever made: all, in `default`."""
    default = select(workspaces.c.id).where(workspaces.c.name == "default")
    return Access(int(conn.execute(default).scalar_one()), frozenset(SCOPES), "local")


def workspace_named(conn: Connection, name: str) -> int:
    """The id of a workspace, which is made if there is none of that name."""
    found = conn.execute(select(workspaces.c.id).where(workspaces.c.name == name)).scalar()
    if found is not None:
        return int(found)
    made = insert(workspaces).values(
        name=name, feed=secrets.token_hex(6), created_ms=clock.now_ms()
    )
    return int(conn.execute(made.returning(workspaces.c.id)).scalar_one())


def _valid() -> ColumnElement[bool]:
    return and_(
        tokens.c.revoked_ms.is_(None),
        or_(tokens.c.expires_ms.is_(None), tokens.c.expires_ms > clock.now_ms()),
    )


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
