"""Callers as they were looked up last, so that what is compared later need not be looked up before."""

import hashlib

from service import clock
from service.security import tokens
from service.security.tokens import Access

MOST = 1000


class Known:
    """Of one process. Holds no token, only its SHA-256."""

    def __init__(self) -> None:
        self._found: dict[bytes, Access] = {}

    def get(self, text: str) -> Access | None:
        """What a token opened; None when it has to be looked up: it is new, or out of date, or its use is due
        to be noted.
        """
        access = self._found.get(_key(text))
        if access is None or (access.token_id is not None and tokens.is_use_due(access)):
            return None
        ends = access.expires_ms
        return access if ends is None or ends > clock.now_ms() else None

    def keep(self, text: str, access: Access) -> None:
        if len(self._found) >= MOST:
            self._found.clear()
        self._found[_key(text)] = access


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
