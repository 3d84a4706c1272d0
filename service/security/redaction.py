"""Redaction: what a user would call secret is blotted out before anything is stored or logged."""

import re
from collections.abc import Iterable
from typing import Any

MARK = "[redacted]"

# Keys that are recognised by their form, wherever they come from.
PATTERNS = re.compile(
    r"""
    \bsk-[A-Za-z0-9_-]{16,}            # OpenAI, Anthropic and those who copy them
  | \bll_[0-9a-f]{12}_[A-Za-z0-9_-]{43} # our own tokens
  | \bgh[pousr]_[A-Za-z0-9]{36,}       # GitHub
  | \bAKIA[0-9A-Z]{16}\b               # AWS
  | \bAIza[0-9A-Za-z_-]{35}            # Google
  | \bxox[abposr]-[0-9A-Za-z-]{10,}    # Slack
  | (?<=://)[^/\s:@]+:[^/\s:@]+(?=@)   # user and password in a URL
    """,
    re.VERBOSE,
)


class Redactor:
    """Blots out known values and everything that has the form of a key."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)

    def text(self, text: str) -> str:
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MARK)
        return PATTERNS.sub(MARK, text)

    def content(self, content: bytes) -> bytes:
        """A file's bytes; of what is not text only the known values go."""
        try:
            return self.text(content.decode()).encode()
        except UnicodeDecodeError:
            for secret in self._secrets:
                content = content.replace(secret.encode(), MARK.encode())
            return content

    def value(self, value: Any) -> Any:
        """A JSON value with every string in it redacted, keys included."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
        return value
